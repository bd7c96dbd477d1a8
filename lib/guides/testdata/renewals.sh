# After the guide to must-staple: twenty renewals of staples that live for 15
# minutes, at nginx, Apache and HAProxy. Before each the index is another one and
# the responder is started again; visitors who insist on a staple come all the time.
sed -i '/^rkey/a nmin = 15' /etc/ocspcgi/ocspcgi.toml
sed -i 's/^\( *SSLStaplingStandardCacheTimeout\) .*/\1 1/' /etc/apache2/sites-available/site.conf
systemctl restart ocspcgi apache2
staple >/dev/null

visit() {
	while [ ! -e leave ]; do
		gnutls-cli --x509cafile /srv/ca/ca.pem -p "$1" www.example.com </dev/null >last.$1 2>&1 ||
			{ echo "port $1"; cat last.$1; } >>refused
		echo >>visits.$1
	done
}

produced() { # PORT: when the staple was made
	date +%s -d "$(openssl s_client -connect www.example.com:$1 -status </dev/null 2>/dev/null |
		sed -n 's/^ *Produced At: //p')"
}

mkdir /tmp/visitors && cd /tmp/visitors
for port in 443 8443 9443; do visit $port & done
declare -A before renewed
for round in {1..20}; do
	openssl req -config /srv/ca/openssl.cnf -subj "/CN=round $round" -newkey ec \
		-pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out csr 2>/dev/null
	openssl ca -config /srv/ca/openssl.cnf -batch -notext -extensions server -in csr -out pem 2>/dev/null
	for port in 443 8443 9443; do before[$port]=$(produced $port); done
	until [ "$(date +%s)" -gt "${before[8443]}" ]; do sleep 0.1; done # whole seconds
	systemctl reset-failed ocspcgi # who has started too often
	systemctl restart ocspcgi
	staple >/dev/null
	for port in 443 8443 9443; do
		for try in {1..100}; do
			if [ "$(produced $port)" -gt "${before[$port]}" ]; then
				renewed[$port]=$((renewed[$port] + 1))
				break
			fi
			sleep 0.1
		done
	done
done
openssl s_client -connect www.example.com:443 -status </dev/null 2>/dev/null |
	sed -n 's/^ *\(Produced At\|Next Update\): //p' | (read a && read b && echo "a life of $((($(date -d "$b" +%s) - $(date -d "$a" +%s)) / 60)) minutes")
for port in 443 8443 9443; do echo "port $port: ${renewed[$port]} renewals"; done
touch leave
wait
for port in 443 8443 9443; do
	[ "$(wc -l <visits.$port)" -ge 20 ] || echo "port $port: only $(wc -l <visits.$port) visits"
done
echo "refused: $(cat refused 2>/dev/null)"
wc -l visits.* >&2
