//! Mistakes in a scenario file are all reported, each with its place and what may have been meant.

use tanist_sim::scenario::Scenario;

fn check(text: &str, expected: &str) {
    let mistakes = Scenario::parse(text).err().unwrap_or_default();
    let found: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn all_of_them_with_line_column_and_suggestion() {
    check(
        "router a  vrid 51  prioritty 150\n\
         router b  vrid 0\n\
         \n\
         \x20 0.000  a b  strat\n\
         \x20 1.000  c    start\n\
         \x20 2.0001  a   start\n\
         \x20 3.000  lan  cut a->c\n\
         \x20 4.000  a    link eth0 dwon\n\
         \x20 5.000  end\n",
        "1:20: a router has no option `prioritty`; did you mean `priority`?\n\
         2:16: vrid must be a number from 1 to 255, not `0`\n\
         4:15: nothing called `strat` can happen; did you mean `start`?\n\
         5:10: there is nobody called `c`; known here: a, b, lan, stranger, client, end\n\
         6:3: `2.0001` is no moment such as `12.345`, in seconds\n\
         7:19: there is no node `c`; known here: a, b\n\
         8:25: a link cannot be `dwon`; did you mean `down`?",
    );
}

#[test]
fn a_router_is_of_one_family() {
    check(
        "router a  vrid 51  virtual_ipaddress fe80::51/64,192.0.2.51/24\n\
         router b  vrid 51  version 2  virtual_ipaddress fe80::51/64\n\
         router c  vrid 51  virtual_ipaddress fe80::51/129\n\
         \n\
         \x20 5.000  end\n",
        "1:38: 192.0.2.51 is of another family than the first address: it belongs into `virtual_ipaddress_excluded`\n\
         2:60: IPv6 is spoken by version 3, which knows no passwords: leave `version 2` out\n\
         3:38: `fe80::51/129` is no address such as `192.0.2.51/24` or `2001:db8::51/64`",
    );
}

#[test]
fn a_scenario_must_end() {
    check("router a  vrid 51\n\n  0.000  a  start\n", "3:1: the scenario has no end: add a line such as `30.000  end`");
}

#[test]
fn time_goes_forward() {
    check(
        "router a  vrid 51\n\n  2.000  a  start\n  1.000  a  stop\n  3.000  end\n",
        "4:13: a command cannot come before the one above it",
    );
}
