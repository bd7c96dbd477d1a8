# Row 1.8 after the guide to delivering: the index brought by scp, which writes in
# place, by rsync and by mv; and half of it.
systemctl stop ocspcgi-deliver.path
cd /srv/ca
to=/var/lib/ocspcgi/index.txt
status() {
	sleep 1
	openssl ocsp -issuer ca.pem -CAfile ca.pem -cert $1.pem -url http://ocsp.example.com 2>/dev/null | head -n 1
}
for by in scp rsync mv; do
	openssl req -config openssl.cnf -subj "/CN=$by" -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-nodes -keyout private/key -out csr 2>/dev/null
	openssl ca -config openssl.cnf -batch -notext -extensions server -in csr -out $by.pem 2>/dev/null
done
ocspcgi-deliver index.txt ocsp.example.com:$to
for by in scp rsync mv; do
	status $by
	openssl ca -config openssl.cnf -revoke $by.pem 2>/dev/null
	case $by in
	scp) scp -q index.txt ocsp.example.com:$to ;;
	rsync) rsync --chmod=F0640 -p index.txt ocsp.example.com:$to ;;
	mv) install -m 0640 -g ocspcgi index.txt $to.new && mv $to.new $to ;;
	esac
	status $by
done
head -c "$(($(wc -c <index.txt) / 2))" index.txt >$to
status scp
status one
status mv
