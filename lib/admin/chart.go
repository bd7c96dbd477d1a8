package admin

import (
	"fmt"
	"math"
	"strings"
	"time"

	"ocspcgi/lib/metrics"
)

// The charts are drawn in these units; a browser makes them as wide as it is.
const (
	width, height = 720, 180
	left, right   = 76, 8 // of which there is text at the left
	top, bottom   = 14, 26

	each = 4 // minutes that are one column
)

// columnsOf joins minutes to columns, the oldest first.
func columnsOf(minutes []metrics.Minute) (columns []metrics.Minute) {
	for i := 0; i < len(minutes); i += each {
		columns = append(columns, metrics.Merge(minutes[i:min(i+each, len(minutes))]))
	}
	return columns
}

// chart is a drawing with the hours below.
type chart struct {
	*strings.Builder
	columns []metrics.Minute
	height  float64
}

// begin writes the heading and opens the drawing; told is for who cannot see it.
func begin(b *strings.Builder, columns []metrics.Minute, tall float64, id, heading, told string) *chart {
	fmt.Fprintf(b, "<h2 id=\"%s\">%s</h2>\n<figure>\n<svg viewBox=\"0 0 %d %g\" role=\"img\" aria-labelledby=\"%s %s-told\">\n<desc id=\"%s-told\">%s</desc>\n",
		id, heading, width, tall, id, id, id, told)
	c := &chart{b, columns, tall}
	for i := range columns {
		if start := columns[i].Start; start.Minute() < each {
			x := c.x(i)
			fmt.Fprintf(c, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%g\"/><text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%02d:00</text>\n",
				x, x, top, tall-bottom, min(x, width-32), tall-6, start.Hour())
		}
	}
	return c
}

// end closes the drawing and explains its colours: pairs of a class and a name.
func (c *chart) end(keys ...[2]string) {
	c.WriteString("</svg>\n<figcaption>")
	for _, key := range keys {
		c.WriteString("<span class=\"key\"><svg viewBox=\"0 0 22 16\" aria-hidden=\"true\">")
		if strings.HasPrefix(key[0], "c-") {
			c.WriteString("<rect class=\"" + key[0] + "\" x=\"3\" y=\"1\" width=\"14\" height=\"14\"/>")
		} else {
			c.WriteString("<line class=\"" + key[0] + "\" x1=\"0\" x2=\"22\" y1=\"8\" y2=\"8\"/>")
		}
		c.WriteString("</svg>" + key[1] + "</span> ")
	}
	c.WriteString("<span class=\"key\">Hours are UTC.</span></figcaption>\n</figure>\n")
}

// x is where column i begins.
func (c *chart) x(i int) float64 {
	return left + float64(i)*(width-left-right)/float64(len(c.columns))
}

// y is how high a share of the height is.
func (c *chart) y(share float64) float64 {
	return c.height - bottom - share*(c.height-top-bottom)
}

// mark writes a text at the left, and a line at its height.
func (c *chart) mark(share float64, text string) {
	y := c.y(share)
	fmt.Fprintf(c, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
		left, width-right, y, y, left-6, y+4, text)
}

// bar writes a part of a column, from one share of the height to another.
func (c *chart) bar(i int, class string, from, to float64) {
	fmt.Fprintf(c, "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" y=\"%.1f\" height=\"%.1f\"/>\n",
		class, c.x(i), c.x(i+1)-c.x(i)-1, c.y(to), c.y(from)-c.y(to))
}

// writeAnswers draws how many requests were answered, and with what.
func writeAnswers(b *strings.Builder, columns []metrics.Minute) {
	total, most := metrics.Merge(columns).Answers, uint64(0)
	for i := range columns {
		most = max(most, columns[i].Answers.All())
	}
	scale := nice(float64(most) / each)
	c := begin(b, columns, height, "answers", "Requests per minute",
		fmt.Sprintf("In the last %d hours: %d good, %d revoked, %d unknown, %d mixed, %d refused, %d others.",
			metrics.Span/time.Hour, total.Good, total.Revoked, total.Unknown, total.Mixed, total.Refused, total.Other))
	for _, share := range []float64{0, 0.5, 1} {
		c.mark(share, number(scale*share))
	}
	for i := range columns {
		a, from := &columns[i].Answers, 0.0
		for _, part := range []struct {
			class string
			n     uint64
		}{{"c-good", a.Good}, {"c-revoked", a.Revoked}, {"c-unknown", a.Unknown + a.Mixed}, {"c-refused", a.Refused}, {"c-other", a.Other}} {
			if part.n > 0 {
				to := from + float64(part.n)/each/scale
				c.bar(i, part.class, from, to)
				from = to
			}
		}
	}
	c.end([2]string{"c-good", "good"}, [2]string{"c-revoked", "revoked"}, [2]string{"c-unknown", "unknown, mixed"},
		[2]string{"c-refused", "refused"}, [2]string{"c-other", "page, HTTP errors"})
}

// The times that are drawn, by powers of ten.
const (
	fastest = 10 * time.Microsecond
	slowest = 10 * time.Second
)

// writeDurations draws how long answers took.
func writeDurations(b *strings.Builder, columns []metrics.Minute) {
	took := metrics.Merge(columns).Took
	c := begin(b, columns, height, "durations", "Time to answer",
		fmt.Sprintf("In the last %d hours half of the answers took %v at the most, 99 of 100 took %v.", metrics.Span/time.Hour, took.Quantile(0.5), took.Quantile(0.99)))
	decades := math.Log10(float64(slowest) / float64(fastest))
	share := func(d time.Duration) float64 {
		return math.Log10(float64(min(max(d, fastest), slowest))/float64(fastest)) / decades
	}
	for d := fastest; d <= slowest; d *= 100 {
		c.mark(share(d), d.String())
	}
	for _, line := range []struct {
		class string
		part  float64
	}{{"p99", 0.99}, {"p50", 0.5}} {
		path, pen := "", "M"
		for i := range columns {
			q := columns[i].Took.Quantile(line.part)
			if q == 0 {
				pen = "M" // nothing was answered
				continue
			}
			path += fmt.Sprintf("%s%.1f %.1fH%.1f", pen, c.x(i), c.y(share(q)), c.x(i+1))
			pen = "L"
		}
		if path != "" {
			c.WriteString("<path class=\"" + line.class + "\" d=\"" + path + "\"/>\n")
		}
	}
	c.end([2]string{"p50", "half of the answers"}, [2]string{"p99", "99 of 100"})
}

// writeReads draws when files were read.
func writeReads(b *strings.Builder, columns []metrics.Minute) {
	total := metrics.Merge(columns)
	c := begin(b, columns, 70, "reads", "Files read again",
		fmt.Sprintf("In the last %d hours files were read and used %d times, and refused %d times.", metrics.Span/time.Hour, total.Believed, total.Doubted))
	for i := range columns {
		if columns[i].Believed > 0 {
			c.bar(i, "c-good", 0, 0.45)
		}
		if columns[i].Doubted > 0 {
			c.bar(i, "c-revoked", 0.55, 1)
		}
	}
	c.end([2]string{"c-good", "used"}, [2]string{"c-revoked", "refused"})
}

// nice is the least of 1, 2, 5, 10, 20 … that is no less than most.
func nice(most float64) float64 {
	for decade := 1.0; ; decade *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if n*decade >= most {
				return n * decade
			}
		}
	}
}

// number is short: 1500 is 1.5k.
func number(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%gM", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%gk", n/1e3)
	}
	return fmt.Sprintf("%g", n)
}
