//! Every file in `scenarios/` must come out as it stands there. `UPDATE_EXPECT=1` writes the files anew.

use std::fs;
use std::path::{Path, PathBuf};

use tanist_sim::scenario;

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries = fs::read_dir(&directory).expect("the repository has a directory `scenarios`");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    files.sort();
    files
}

/// Runs one file; what is wrong with it.
fn check(path: &Path, update: bool) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let checked = scenario::check(&text)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let again = scenario::check(&text).map_err(|_| "has mistakes the second time".to_owned())?;
    if again.text != checked.text {
        return Err("comes out differently the second time".to_owned());
    }
    if !checked.complaints.is_empty() {
        return Err(format!("{}\n{}", checked.complaints.join("\n"), scenario::difference(&text, &checked.text)));
    }
    if checked.text != text {
        if !update {
            return Err(scenario::difference(&text, &checked.text));
        }
        fs::write(path, &checked.text).map_err(|error| format!("cannot be written: {error}"))?;
    }
    Ok(())
}

#[test]
fn every_scenario_comes_out_as_written() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let files = files();
    assert!(files.len() > 50, "only {} scenarios found", files.len());
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|path| check(path, update).err().map(|what| format!("{}:\n{what}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what is found", wrong.join("\n"));
}
