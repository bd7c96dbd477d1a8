#!/bin/bash
# Follows a script on a Debian machine of its own: room.sh DIR [PREPARE], with
# DIR/guide/follow.sh. It is started in namespaces of its own, and the machine's
# files are those of this one: what is changed is gone at the end, but for
# DIR/guide. PREPARE is run before, with the machine's root as its argument.
set -eu -o pipefail
dir=$1
new=$dir/root

mount --make-rprivate /
mount -t tmpfs -o mode=0755 room "$dir/over"
mkdir "$dir/over/up" "$dir/over/work"
mount -t overlay -o "lowerdir=/,upperdir=$dir/over/up,workdir=$dir/over/work" overlay "$new"
mount -t proc proc "$new/proc"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 run "$new/run"
mount -t tmpfs -o mode=1777 tmp "$new/tmp"
mount -t tmpfs -o mode=0700 root "$new/root"
# apt-get install finds what is installed, and nothing newer.
mount -t tmpfs lists "$new/var/lib/apt/lists"

mount -t tmpfs -o mode=0755 dev "$new/dev"
for name in null zero full random urandom tty; do
	touch "$new/dev/$name"
	mount --bind "/dev/$name" "$new/dev/$name"
done
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$new/dev/pts"
mount -t tmpfs -o mode=1777 shm "$new/dev/shm"
ln -s pts/ptmx "$new/dev/ptmx"
ln -s /proc/self/fd "$new/dev/fd"
for fd in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${fd%:*}" "$new/dev/${fd#*:}"; done

[ $# -lt 2 ] || "$2" "$new" >&2

mkdir "$new/run/guide"
mount --bind "$dir/guide" "$new/run/guide"
mkdir -p "$new/run/systemd/system"
cat >"$new/run/systemd/system/guide.service" <<-'UNIT'
	[Unit]
	DefaultDependencies=no
	Requires=sysinit.target systemd-user-sessions.service
	After=sysinit.target systemd-user-sessions.service
	SuccessAction=exit
	FailureAction=exit
	[Service]
	Type=oneshot
	TimeoutStartSec=infinity
	ExecStart=/bin/bash /run/guide/follow.sh
	StandardOutput=file:/run/guide/follow.out
	StandardError=inherit
UNIT

ip link set lo up
hostname debian
cd "$new"
pivot_root . mnt
export container=guide
exec chroot . /bin/sh -c 'umount -l /mnt; exec /lib/systemd/systemd --unit=guide.service --log-target=journal --show-status=0'
