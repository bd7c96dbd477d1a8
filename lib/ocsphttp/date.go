package ocsphttp

import "time"

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// appendDate appends a field with a date (RFC 9110 §5.6.7).
func appendDate(h []byte, name string, t time.Time) []byte {
	h = append(h, name...)
	h = appendHTTPDate(h, t.UTC())
	return append(h, "\r\n"...)
}

// appendHTTPDate is t.AppendFormat(h, httpDate) for a time in UTC, without a
// layout to be read: an answer has three dates, which took a tenth of the time of
// one that is kept.
func appendHTTPDate(h []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(h, httpDate)
	}
	hour, minute, second := t.Clock()
	h = append(h, t.Weekday().String()[:3]...)
	h = append(h, ", "...)
	h = append(appendTwo(h, day), ' ')
	h = append(h, month.String()[:3]...)
	h = append(h, ' ')
	h = append(appendTwo(appendTwo(h, year/100), year%100), ' ')
	h = append(appendTwo(h, hour), ':')
	h = append(appendTwo(h, minute), ':')
	return append(appendTwo(h, second), " GMT"...)
}

// appendTwo appends a number below 100 in two digits.
func appendTwo(h []byte, n int) []byte { return append(h, byte('0'+n/10), byte('0'+n%10)) }
