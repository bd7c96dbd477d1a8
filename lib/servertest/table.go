package servertest

import (
	"fmt"
	"strings"
	"testing"
)

// Table is what sites have answered: a row for each probe, a column for each
// site.
type Table struct {
	sites []string
	rows  []row
}

// NotAsked is in the place of an outcome for what a site is not asked.
const NotAsked = "not asked"

type row struct {
	name, want string
	cells      []string
}

// Add asks one more site. A cell is the HTTP status, and the whole outcome
// where that is not what the program answers.
func (table *Table) Add(t testing.TB, name string, site *Site, differs map[string]string) {
	t.Helper()
	table.sites = append(table.sites, name)
	for i, p := range append(site.Probes(t), site.known(t)) {
		if len(table.sites) == 1 {
			table.rows = append(table.rows, row{name: p.Name, want: p.Want})
		}
		if differs[p.Name] == NotAsked {
			table.rows[i].cells = append(table.rows[i].cells, "-")
			continue
		}
		leaf := p.Leaf
		if leaf == nil {
			leaf = site.Slashes
		}
		reply, err := site.send(p)
		if err != nil {
			t.Fatalf("%s: %s: %v", name, p.Name, err)
		}
		got, want := site.outcome(reply, leaf), p.Want
		if d, ok := differs[p.Name]; ok {
			want = d
		}
		cell := strings.Fields(got)[0]
		if got != want {
			t.Errorf("%s: %s: %s, want %s", name, p.Name, got, want)
			cell += "!"
		} else if strings.HasSuffix(got, " server") {
			cell += "*"
		}
		table.rows[i].cells = append(table.rows[i].cells, cell)
	}
}

// known is a GET of who has an answer already.
func (s *Site) known(t testing.TB) Probe {
	t.Helper()
	return Probe{
		Name: "HTTP-27 GET, If-None-Match", Method: "GET", Path: "/" + escaped(s.request(t, s.Slashes)),
		Header: map[string]string{"If-None-Match": "*"}, Want: "304 empty",
	}
}

// String is the table as text, under a list of the sites.
func (table *Table) String() string {
	var b strings.Builder
	for i, name := range table.sites {
		fmt.Fprintf(&b, "%2d  %s\n", i+1, name)
	}
	fmt.Fprintf(&b, "\n%-40s %-14s", "request", "the program")
	for i := range table.sites {
		fmt.Fprintf(&b, " %-4d", i+1)
	}
	for _, row := range table.rows {
		fmt.Fprintf(&b, "\n%-40s %-14s", row.name, row.want)
		for _, cell := range row.cells {
			fmt.Fprintf(&b, " %-4s", cell)
		}
	}
	return b.String() + "\n\n*  the web server has answered itself\n-  not asked\n"
}
