# The person at the terminal: one shell, to which all steps are given in order.
# NAME.sh is typed, NAME.file is what NAME.path shall have. What a step prints
# goes to NAME.out, commands that failed to NAME.failed. A failure ends it, but
# where a step's output says what to expect.
cd /root || exit
export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
journalctl -q --cursor-file=/run/guide/cursor >/dev/null # what is there already
for guide_step in /run/guide/[0-9]*.sh /run/guide/[0-9]*.path; do echo "$guide_step"; done | sort >/run/guide/steps
while read -r guide_step <&9; do
	guide_name=${guide_step%.*}
	case $guide_step in
	*.path)
		mkdir -p "$(dirname "$(cat "$guide_step")")"
		cp "$guide_name.file" "$(cat "$guide_step")"
		;;
	*.sh)
		SECONDS=0
		trap 'echo "exit status $?: $BASH_COMMAND" >>"$guide_name.failed"' ERR
		. "$guide_step" >"$guide_name.out" 2>&1 </dev/null
		trap - ERR
		echo "$SECONDS" >"$guide_name.took"
		[ ! -e "$guide_name.failed" ] || [ -e "$guide_name.want" ] || break
		;;
	esac
done 9</run/guide/steps
journalctl -q --cursor-file=/run/guide/cursor -o cat -n 50 >/run/guide/journal 2>&1
