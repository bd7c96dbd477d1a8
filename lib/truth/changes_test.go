package truth_test

import (
	"math/rand/v2"
	"slices"
	"time"
)

// changes are what a CA does to its rows.
var changes = []func(rng *rand.Rand, rows []row) []row{issue, issue, revoke, revoke, hold, release, condemn, updateDB, prune}

func issue(rng *rand.Rand, rows []row) []row { return append(rows, issued(rng)) }

// among changes one of the rows that may be, if there is one.
func among(rng *rand.Rand, rows []row, may func(row) bool, change func(*row)) []row {
	var places []int
	for i, r := range rows {
		// The first rows are those of the company: its signer stays valid.
		if i >= company && may(r) {
			places = append(places, i)
		}
	}
	if len(places) > 0 {
		change(&rows[places[rng.IntN(len(places))]])
	}
	return rows
}

// company is how many rows a new company has.
const company = 3

func valid(r row) bool { return r.kind != 'R' }

func revoke(rng *rand.Rand, rows []row) []row {
	return among(rng, rows, valid, func(r *row) { r.kind, r.revoked = 'R', revocation(rng, false) })
}

func hold(rng *rand.Rand, rows []row) []row {
	return among(rng, rows, valid, func(r *row) { r.kind, r.revoked = 'R', revocation(rng, true) })
}

func release(rng *rand.Rand, rows []row) []row {
	return among(rng, rows, row.held, func(r *row) { r.kind, r.revoked = 'V', "" })
}

// condemn revokes for good what was on hold.
func condemn(rng *rand.Rand, rows []row) []row {
	return among(rng, rows, row.held, func(r *row) { r.revoked = revocation(rng, false) })
}

// updateDB is openssl ca -updatedb.
func updateDB(_ *rand.Rand, rows []row) []row {
	for i := range rows {
		if rows[i].kind == 'V' && rows[i].expires.Before(time.Now()) {
			rows[i].kind = 'E'
		}
	}
	return rows
}

// prune removes what has expired a while ago, as an index need not keep it.
func prune(_ *rand.Rand, rows []row) []row {
	return slices.DeleteFunc(rows, func(r row) bool { return r.expires.Before(time.Now().Add(-5 * time.Second)) })
}
