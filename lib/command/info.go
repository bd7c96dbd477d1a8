package command

import (
	"errors"
	"fmt"

	"ocspcgi/lib/wire"
)

const infoUsage = `ocspcgi info [FILE]

shows what an OCSP request or response says, without judging it; stdin without
FILE. It may be DER, PEM, base64, or what stands in the path of a GET. Of what is
damaged it says at which byte.

  -json         as JSON
  -reqin FILE   another way to name a request (-request), as openssl has it
  -respin FILE  another way to name a response (-response)

  ocspcgi info response.der
  openssl ocsp -issuer ca.pem -cert server.pem -reqout - | ocspcgi info -json
`

func (s *Shell) info(args []string) int {
	v := s.verb("info", infoUsage)
	var path string
	v.text(&path, "reqin", "request", "respin", "response", "in")
	return v.run(args, func() (int, error) {
		path, err := v.file(path)
		if err != nil {
			return 0, err
		}
		data, err := v.read(path)
		if err != nil {
			return 0, err
		}
		if err := v.show(data); err != nil {
			return 0, fmt.Errorf("%s: %w", called(path), err)
		}
		return 0, nil
	})
}

// called is what a file is called in a message.
func called(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

// show prints a request or a response.
func (v *verb) show(data []byte) error {
	der, err := unwrap(data)
	if err != nil {
		return err
	}
	if isResponse(der) {
		resp, err := parseResponse(der)
		if err != nil {
			return err
		}
		if v.json {
			return PrintJSON(v.Stdout, map[string]any{"response": viewResponse(resp), "bytes": len(der)})
		}
		responseText(plain{v.Stdout}, der)
		return nil
	}
	req, err := parseRequest(der)
	if err != nil {
		return err
	}
	if v.json {
		return PrintJSON(v.Stdout, map[string]any{"request": viewRequest(req), "bytes": len(der)})
	}
	requestText(plain{v.Stdout}, der)
	return nil
}

// isResponse tells a response, which begins with its ENUMERATED status, from
// all that might be a request.
func isResponse(der []byte) bool {
	for i := 2; i < min(len(der), 6); i++ {
		if der[i] == 0x0a && len(der) > i+1 && der[i+1] == 1 {
			return true
		}
	}
	return false
}

// parseResponse reads a response, and says at which byte it is damaged.
func parseResponse(der []byte) (*wire.OCSPResponse, error) {
	resp, err := wire.ParseResponse(der)
	return resp, located(err, der, responseShape)
}

// parseRequest reads a request likewise.
func parseRequest(der []byte) (*wire.Request, error) {
	req, err := wire.ParseRequest(der)
	return req, located(err, der, requestShape)
}

// located adds to an error of reading der where its shape is wrong, if it is.
func located(err error, der []byte, of shape) error {
	if err == nil {
		return nil
	}
	if where := damage(der, of); where != "" {
		return errors.New("no " + of.name + ": " + where)
	}
	return fmt.Errorf("no %s: %w", of.name, err)
}
