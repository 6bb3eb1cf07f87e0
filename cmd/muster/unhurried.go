package main

import (
	"net/http"
	"time"
)

// unhurried is an answer that may take as long as it makes progress: a server's usual bound is for all of an answer.
type unhurried struct{ http.ResponseWriter }

func (u *unhurried) Write(b []byte) (int, error) {
	deadline := time.Now().Add(writeTimeout)
	if err := http.NewResponseController(u.ResponseWriter).SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return u.ResponseWriter.Write(b)
}
