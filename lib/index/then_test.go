package index

import "testing"

// Two looks at one file: a revocation that either of them alone has seen, while the file
// was written, may be half of one row and half of another.
func TestTwoLooks(t *testing.T) {
	moved := finding{doubt: doubt("", reasonMoved)}
	revoked, valid := finding{entry: Entry{Status: Revoked}}, finding{entry: Entry{Status: Valid}}
	one, other := stamp{mtime: 1}, stamp{mtime: 2}
	whole := func(f finding, s stamp) look { return look{finding: f, stamp: s} }
	written := func(s stamp) look { return look{finding: moved, stamp: s, half: revoked} }
	for name, c := range map[string]struct {
		first, next look
		want        int // rank
	}{
		"the same":                        {whole(valid, one), whole(valid, one), 1},
		"another state":                   {whole(valid, one), whole(valid, other), 2},
		"revoked in another state":        {whole(valid, one), whole(revoked, other), 3},
		"revoked in both while written":   {written(one), written(other), 3},
		"revoked in the first, written":   {written(one), whole(valid, other), 2},
		"revoked in the second, written":  {whole(valid, one), written(other), 2},
		"revoked in both, one is written": {written(one), whole(revoked, other), 3},
	} {
		if got := c.first.then(c.next, "").rank(); got != c.want {
			t.Errorf("%s: rank %d, want %d", name, got, c.want)
		}
	}
}
