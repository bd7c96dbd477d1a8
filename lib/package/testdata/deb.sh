# The life of the package for Debian, from dpkg -i to dpkg -P. one.deb and two.deb
# are beside this file, and so is what it writes when all was as it should be.
set -eu -o pipefail
trap 'echo "line $LINENO: $BASH_COMMAND"' ERR
export HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /root
# What make install may have put on this machine would come before the package.
rm -rf /usr/local/lib/systemd /etc/systemd/system/ocspcgi.* /usr/local/bin/ocspcgi* /usr/lib/cgi-bin/ocsp* /etc/ocspcgi
systemctl daemon-reload

dpkg -i /run/guide/one.deb
getent passwd ocspcgi
test -z "$(systemd-analyze verify /usr/lib/systemd/system/ocspcgi.socket /usr/lib/systemd/system/ocspcgi.service 2>&1)"
[ "$(systemctl is-active ocspcgi.socket)" = inactive ] # it has no settings yet
man ocspcgi.toml | grep -q 'KEYS OF AN ISSUER'

# A CA, and its settings.
ocspcgi demo -once /srv/ca
chgrp ocspcgi /srv/ca/ocsp.key
chmod 0640 /srv/ca/ocsp.key
cat >>/etc/ocspcgi/ocspcgi.toml <<-'END'
	cache = "/var/cache/ocspcgi"
	log = "/var/log/ocspcgi/ocspcgi.log"
	[[issuer]]
	CA = "/srv/ca/ca.pem"
	index = "/srv/ca/index.txt"
	rsigner = "/srv/ca/ocsp.pem"
	rkey = "/srv/ca/ocsp.key"
END
echo kept >/etc/ocspcgi/of-the-ca
systemctl enable --now ocspcgi.socket

# Asked by openssl through the virtual hosts as they were installed.
ask() { # CERTIFICATE STATUS
	local said=
	for _ in $(seq 100); do
		said=$(openssl ocsp -issuer /srv/ca/ca.pem -CAfile /srv/ca/ca.pem -cert "$1" -url http://ocsp.example.com 2>&1) || true
		case $said in *"Response verify OK"*": $2"*) return ;; esac
		sleep 0.1
	done
	echo "$said"
	systemctl status ocspcgi.service ocspcgi.socket
	tail -n 20 /var/log/nginx/error.log /var/log/apache2/error.log
	return 1
}
echo 127.0.0.1 ocsp.example.com >>/etc/hosts
rm -f /etc/nginx/sites-enabled/*
ln -s ../sites-available/ocspcgi /etc/nginx/sites-enabled/
systemctl start nginx
ask /srv/ca/good.pem good
ask /srv/ca/revoked.pem revoked
openssl ca -config /srv/ca/openssl.cnf -revoke /srv/ca/good.pem
ask /srv/ca/good.pem revoked
systemctl stop nginx
a2enmod -q proxy_fcgi rewrite
a2ensite -q ocspcgi
systemctl start apache2
ask /srv/ca/good.pem revoked
[ "$(ps -o user= "$(systemctl show -P MainPID ocspcgi.service)")" = ocspcgi ]
grep -q '"status":"revoked"' /var/log/ocspcgi/ocspcgi.log

# The log is turned over under the running program.
logrotate -f /etc/logrotate.d/ocspcgi
test -s /var/log/ocspcgi/ocspcgi.log.1
ask /srv/ca/revoked.pem revoked
test -s /var/log/ocspcgi/ocspcgi.log

# The new version takes over; socket and settings stay.
before=$(systemctl show -P MainPID ocspcgi.service)
socket=$(stat -c %i /run/ocspcgi/ocspcgi.sock)
dpkg -i /run/guide/two.deb
[ "$(systemctl show -P MainPID ocspcgi.service)" != "$before" ]
[ "$(stat -c %i /run/ocspcgi/ocspcgi.sock)" = "$socket" ]
[ "$(systemctl is-active ocspcgi.socket)" = active ]
ask /srv/ca/good.pem revoked

# Taken away, all but the settings; then all but what is the CA's.
dpkg -r ocspcgi
[ "$(systemctl is-active ocspcgi.socket)" = inactive ]
[ "$(systemctl is-active ocspcgi.service)" = inactive ]
grep -q /srv/ca/index.txt /etc/ocspcgi/ocspcgi.toml
dpkg -P ocspcgi
for gone in /etc/ocspcgi/ocspcgi.toml /etc/nginx/sites-available/ocspcgi /etc/apache2/sites-available/ocspcgi.conf \
	/var/cache/ocspcgi /var/log/ocspcgi /run/ocspcgi /usr/bin/ocspcgi /usr/lib/cgi-bin/ocspcgi \
	/etc/systemd/system/sockets.target.wants/ocspcgi.socket; do
	if [ -e "$gone" ] || [ -L "$gone" ]; then
		echo "$gone is still there"
		exit 1
	fi
done
for kept in /srv/ca/index.txt /srv/ca/ocsp.key /etc/ocspcgi/of-the-ca; do test -s "$kept"; done
echo "all of it" >/run/guide/done
