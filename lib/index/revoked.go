package index

// Revoked calls each with every revoked row that is believed, with its serial
// number and its line (0 where that is not known), until it says no. The serial
// number is the content octets of its INTEGER, valid until each returns.
func (l *Live) Revoked(each func(serial []byte, line int, e Entry) bool) {
	s := l.state.Load()
	if s == nil {
		return
	}
	rows := cursor{table: s.believed}
	for r, ok := rows.next(); ok; r, ok = rows.next() {
		if e := r.finding().entry; e.Status == Revoked && !each(r.key(), r.line(), e) {
			return
		}
	}
}
