# Boots the distribution's own systemd as process 1 of a machine made of namespaces, in a root of this directory, which
# may have `units` for it. What else is named is shared with whoever boots it, at the same place.
# Nothing of the host is written to: /usr is mounted read-only, all the rest is new and in memory.
set -e
D=$1
R=$1/root
shift
mount --make-rprivate /
mkdir -p "$R"
mount -t tmpfs -o mode=755 root "$R"
cd "$R"
mkdir -p usr etc/systemd/system proc sys dev run tmp var/lib var/log root
mount --bind /usr usr
mount -o remount,bind,ro usr
for d in bin sbin lib lib32 lib64 libx32; do
    if [ -L /$d ]; then cp -a /$d $d; elif [ -d /$d ]; then mkdir $d; mount --bind /$d $d; mount -o remount,bind,ro $d; fi
done
for f in passwd group ld.so.cache nsswitch.conf alternatives; do [ ! -e /etc/$f ] || cp -a /etc/$f etc/$f; done
: > etc/machine-id
echo lab > etc/hostname
mount -t proc proc proc
mount -t sysfs sys sys
mount -t tmpfs t sys/fs/cgroup
umount sys/fs/cgroup
mount -t cgroup2 c sys/fs/cgroup
for d in run tmp dev; do mount -t tmpfs -o mode=755 t $d; done
mkdir -p dev/pts dev/shm
for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
touch dev/console
mount --bind "$(readlink /proc/self/fd/0)" dev/console
ln -s /proc/self/fd dev/fd
for path in "$@"; do
    if [ -d "$path" ]; then mkdir -p ".$path"; else mkdir -p ".${path%/*}" && : > ".$path"; fi
    mount --rbind "$path" ".$path"
done
[ ! -d "$D/units" ] || cp -a "$D/units/." etc/systemd/system
# No more than a message bus and what is under test.
cat > etc/systemd/system/lab.target <<UNIT
[Unit]
Requires=dbus.socket
After=dbus.socket sysinit.target
AllowIsolate=yes
UNIT
ln -s lab.target etc/systemd/system/default.target
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    unshare --root="$R" /lib/systemd/systemd --system --log-target=console --log-level=info --show-status=1
