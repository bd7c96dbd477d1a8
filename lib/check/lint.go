package check

import (
	"fmt"
	"time"

	"ocspcgi/lib/index"
)

// rowColumns is how many columns openssl ca writes and wants.
const rowColumns = 6

// tally counts the rows of an index, and collects the odd ones.
type tally struct {
	now                                 time.Time
	valid, revoked, expired             int
	century, falseE, columns, lineBreak crowd
	issued                              *folder // what the rows are compared with; nil: nothing
}

// rowsOf looks at the rows as they stand in the file: at what the responder
// answers all the same, and openssl or a person would take for something else.
func (c *Checker) rowsOf(i *issuer, issued *folder) (*tally, error) {
	t := &tally{now: c.now(), issued: issued}
	for _, w := range []*crowd{&t.century, &t.falseE, &t.columns, &t.lineBreak} {
		w.c = c
	}
	path := i.index.Path
	err := index.Rows(path, func(r *index.Row) bool {
		t.row(path, r)
		return true
	})
	for _, w := range []*crowd{&t.century, &t.falseE, &t.columns, &t.lineBreak} {
		w.close()
	}
	return t, err
}

func (t *tally) row(path string, r *index.Row) {
	switch r.Status {
	case index.Valid:
		t.valid++
	case index.Revoked:
		t.revoked++
	case index.Expired:
		t.expired++
	}
	if t.issued != nil && r.Serial != nil {
		t.issued.listed(r)
	}
	if r.CR {
		t.lineBreak.add(row{Level: hint, File: path, Line: r.Line, Text: "the line ends in CR LF; read all the same, but openssl ca takes the CR for a part of the subject",
			Remedy: "sed -i 's/\\r$//' " + path})
	}
	if r.Serial != nil && r.Columns != rowColumns {
		t.columns.add(row{Level: hint, File: path, Line: r.Line, Text: fmt.Sprintf("%d columns; answered, but openssl ca reads no file whose rows have not %d", r.Columns, rowColumns),
			Remedy: "type TAB expiry TAB revocation TAB serial TAB unknown TAB subject"})
	}
	t.times(path, r)
}

// times looks for years that are meant otherwise than they are read, and for
// certificates that are said to be over and are not.
func (t *tally) times(path string, r *index.Row) {
	if r.Status == 0 {
		return
	}
	if text := t.otherCentury("expiry", r.Expiry, r.Expires); text != "" {
		t.century.add(row{Level: warning, File: path, Line: r.Line, Text: text + "; answered " + answerOf(r) + " all the same", Remedy: remedyCentury(r.Expiry)})
	}
	if r.Status == index.Revoked {
		date := r.Date
		if i := len("YYMMDDHHMMSSZ"); len(date) > i && date[i] == ',' {
			date = date[:i]
		}
		if text := t.otherCentury("revocation date", date, r.Revoked); text != "" && r.Revoked.Unix() != 0 {
			t.century.add(row{Level: warning, File: path, Line: r.Line, Text: text + "; answered revoked since " + r.Revoked.Format("2006"), Remedy: remedyCentury(date)})
		}
	}
	if r.Status == index.Expired && r.Expires.After(t.now) {
		t.falseE.add(row{Level: hint, File: path, Line: r.Line, Text: fmt.Sprintf("marked E, expired, but it ends on %s only (LibreSSL marks such); answered good", r.Expires.Format("2006-01-02")),
			Remedy: "nothing needs to be done; V in the first column is what openssl would write"})
	}
}

// otherCentury tells of a time that no certificate of today has.
func (t *tally) otherCentury(what string, column []byte, at time.Time) string {
	const eternity = 9999 // RFC 5280 section 4.1.2.5: no end that is known
	switch year := at.Year(); {
	case at.IsZero() || year == eternity:
		return ""
	case year < 1990 || year > t.now.Year()+100:
		return fmt.Sprintf("%s %s is read as the year %d", what, column, year)
	}
	return ""
}

// remedyCentury tells how the year is written that may have been meant.
func remedyCentury(column []byte) string {
	if len(column) == len("YYMMDDHHMMSSZ") && column[0] >= '5' {
		return "two digits from 50 on mean 19yy (RFC 5280): write 20" + string(column) + " if that is meant"
	}
	return "look at the certificate, and write the year that it has"
}

// answerOf is what a row is answered with.
func answerOf(r *index.Row) string {
	if r.Status == index.Revoked {
		return "revoked"
	}
	return "good"
}

// summary says how many rows there are of what kind.
func (t *tally) summary() string {
	return fmt.Sprintf("%s: %d valid, %d revoked, %d expired", plural(t.valid+t.revoked+t.expired, "row"), t.valid, t.revoked, t.expired)
}
