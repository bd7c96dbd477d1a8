package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"ocspcgi/fcgi"
)

// asker asks a responder.
type asker struct {
	url    string // http://…, https://…, unix:PATH or tcp:HOST:PORT
	get    bool
	header http.Header
}

const (
	requestType  = "application/ocsp-request"
	responseType = "application/ocsp-response"
	maxAnswer    = 1 << 20
)

// addHeader takes NAME=VALUE, as openssl has it, or NAME: VALUE.
func (a *asker) addHeader(field string) error {
	i := strings.IndexAny(field, "=:")
	if i < 1 {
		return errors.New("write it as NAME=VALUE")
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Add(field[:i], strings.TrimSpace(field[i+1:]))
	return nil
}

// ask sends a request, and returns the body of the answer. Whatever is no OCSP
// response by its status and type is an error.
func (a *asker) ask(ctx context.Context, der []byte) ([]byte, error) {
	scheme, rest, _ := strings.Cut(a.url, ":")
	switch scheme {
	case "http", "https":
		return a.overHTTP(ctx, der)
	case "unix", "tcp":
		return a.overFastCGI(ctx, scheme, rest, der)
	}
	return nil, misused("%s is none of http://, https://, unix:PATH, tcp:HOST:PORT", a.url)
}

// inPath is a request as the path of a GET has it (RFC 6960 A.1).
func inPath(der []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(der)) }

func (a *asker) overHTTP(ctx context.Context, der []byte) ([]byte, error) {
	method, to, body := http.MethodPost, a.url, io.Reader(bytes.NewReader(der))
	if a.get {
		method, to, body = http.MethodGet, strings.TrimSuffix(a.url, "/")+"/"+inPath(der), nil
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, err
	}
	for name, values := range a.header {
		req.Header[name] = values
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if !a.get {
		req.Header.Set("Content-Type", requestType)
	}
	// Nothing comes in between: no proxy, no redirection, no compression.
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, cause(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	return answer, isAnswer(resp.StatusCode, resp.Header, answer)
}

// cause takes away what says again which URL was asked.
func cause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer within the time of -timeout")
	}
	return err
}

// undialed adds to what the system says of a socket what can be done about it.
func undialed(network string, err error) error {
	switch {
	case network == "unix" && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: no responder made this socket; is it the path of its -listen?", err)
	case network == "unix" && errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: ask as root, or as a user of the socket's group (-listen_group)", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: no responder listens there; start it", err)
	}
	return err
}

// overFastCGI asks as a web server does, past the one that is in between else.
func (a *asker) overFastCGI(ctx context.Context, network, address string, der []byte) ([]byte, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, undialed(network, cause(err))
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	stdout, err := fcgi.Ask(conn, a.variables(der), a.body(der), maxAnswer)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return nil, errors.New("no answer within the time of -timeout")
	}
	if err != nil {
		return nil, err
	}
	return parseCGI(stdout)
}

func (a *asker) body(der []byte) []byte {
	if a.get {
		return nil
	}
	return der
}

// variables are those of a request that a web server would pass on.
func (a *asker) variables(der []byte) [][2]string {
	vars := [][2]string{{"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"SERVER_NAME", "localhost"}, {"REMOTE_ADDR", "127.0.0.1"}}
	if a.get {
		vars = append(vars, [2]string{"REQUEST_METHOD", "GET"}, [2]string{"REQUEST_URI", "/" + inPath(der)})
	} else {
		vars = append(vars, [2]string{"REQUEST_METHOD", "POST"}, [2]string{"REQUEST_URI", "/"},
			[2]string{"CONTENT_TYPE", requestType}, [2]string{"CONTENT_LENGTH", strconv.Itoa(len(der))})
	}
	for name, values := range a.header {
		vars = append(vars, [2]string{"HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")), strings.Join(values, ", ")})
	}
	return vars
}

// parseCGI takes the answer of a CGI program apart (RFC 3875 §6).
func parseCGI(stdout []byte) ([]byte, error) {
	in := bufio.NewReader(bytes.NewReader(stdout))
	header, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("the answer has no header that ends: %w", err)
	}
	code := http.StatusOK
	if status := header.Get("Status"); status != "" {
		number, _, _ := strings.Cut(status, " ")
		if code, err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("the answer has the status %q", status)
		}
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	return body, isAnswer(code, http.Header(header), body)
}

// isAnswer says why an answer over HTTP is no OCSP response.
func isAnswer(code int, header http.Header, body []byte) error {
	kind := header.Get("Content-Type")
	switch {
	case code >= 300 && code < 400:
		return fmt.Errorf("HTTP status %d to %q: redirections are not followed; ask that URL, if it is the right one", code, header.Get("Location"))
	case code != http.StatusOK:
		return fmt.Errorf("HTTP status %d (%s) instead of an answer", code, http.StatusText(code))
	case len(body) == 0:
		return errors.New("an empty answer")
	case len(body) > maxAnswer:
		return errors.New("the answer is larger than 1 MiB")
	case !strings.EqualFold(kind, responseType):
		return fmt.Errorf("an answer of the type %q, not %s: it is no responder, or its path is another", kind, responseType)
	}
	return nil
}
