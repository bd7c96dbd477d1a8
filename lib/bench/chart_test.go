package bench_test

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
)

var draw = flag.Bool("draw", false, "put what is recorded into chart.svg and the README")

const (
	chartFile = "chart.svg"
	readme    = "../../README.md"
)

// shown is where the README has the table.
var shown = regexp.MustCompile(`(?s)(<!-- lib/bench/testdata/table.tsv -->\n)(.*?)(<!-- end -->\n)`)

// The chart and the README show what is recorded; -draw makes them do so.
func TestDrawn(t *testing.T) {
	where, all := recorded(t)
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	part := shown.FindSubmatch(page)
	if part == nil {
		t.Fatalf("%s has no place for the table", readme)
	}
	table, chart := asMarkdown(where, all), asSVG(where, all)
	if *draw {
		next := bytes.Replace(page, part[0], []byte(string(part[1])+table+string(part[3])), 1)
		for name, text := range map[string][]byte{readme: next, chartFile: []byte(chart)} {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if string(part[2]) != table {
		t.Errorf("%s shows another table than %s: make bench-chart puts it in", readme, tableFile)
	}
	if drawn, err := os.ReadFile(chartFile); err != nil || string(drawn) != chart {
		t.Errorf("%s is not drawn from %s (%v): make bench-chart draws it", chartFile, tableFile, err)
	}
}

// asMarkdown is the table for the README.
func asMarkdown(where string, all []figure) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s:\n\n", where)
	row := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	row(heads)
	row([]string{"---", "---:", "---", "---:", "---:", "---:", "---"})
	for _, f := range all {
		row(f.cells())
	}
	out.WriteString("\n")
	return out.String()
}

// The measures of the chart, in pixels.
const (
	lineHeight = 18
	labelWidth = 560
	barWidth   = 300
	twice      = 2.0 // the ratio at the right end; longer bars are cut
)

// asSVG draws a bar for the ratio of each figure, with a mark at what is asked:
// the bar has to reach it, or to end before it.
func asSVG(where string, all []figure) string {
	var out strings.Builder
	height := (len(all) + 3) * lineHeight
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		labelWidth+barWidth+120, height)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="white"/><text x="10" y="14">ocspcgi beside its peers, as ratios: %s</text>`+"\n", html.EscapeString(where))
	for i, f := range all {
		y := (i + 2) * lineHeight
		colour := map[string]string{"met": "#3a7d44", "-": "#7f8c99"}[f.verdict()]
		if colour == "" {
			colour = "#c0392b"
		}
		fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end">%s (%s)</text>`, labelWidth-8, y, html.EscapeString(f.What), html.EscapeString(f.Peer))
		fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%.0f" height="12" fill="%s"/>`, labelWidth, y-11, min(f.Ratio/twice, 1)*barWidth, colour)
		if limit := f.Least + f.Most; limit > 0 {
			fmt.Fprintf(&out, `<rect x="%.0f" y="%d" width="2" height="16" fill="black"/>`, labelWidth+min(limit/twice, 1)*barWidth, y-13)
		}
		fmt.Fprintf(&out, `<text x="%d" y="%d">%.2f %s</text>`+"\n", labelWidth+barWidth+8, y, f.Ratio, f.limit())
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d" fill="#555">mark: what is asked; green: met, red: not, grey: nothing is asked</text>`+"\n</svg>\n",
		labelWidth-300, height-6)
	return out.String()
}
