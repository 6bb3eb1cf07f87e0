package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// instruction is one line of the Dockerfile, continuations joined.
type instruction struct{ word, rest string }

func readDockerfile(t *testing.T) []instruction {
	t.Helper()
	content, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(content), "\\\n", " ")
	var list []instruction
	for line := range strings.Lines(joined) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			word, rest, _ := strings.Cut(line, " ")
			list = append(list, instruction{word, strings.Join(strings.Fields(rest), " ")})
		}
	}
	return list
}

// final returns the instructions of the last stage by their word, and the line that begins it.
func final(list []instruction) (from string, stage map[string][]string) {
	for _, i := range list {
		if i.word == "FROM" {
			from, stage = i.rest, map[string][]string{}
			continue
		}
		stage[i.word] = append(stage[i.word], i.rest)
	}
	return from, stage
}

func TestTheImageHoldsTheBinaryAloneAndRunsItAsNobody(t *testing.T) {
	from, stage := final(readDockerfile(t))
	if from != "scratch" {
		t.Errorf("the last stage begins with %s", from)
	}
	if users := stage["USER"]; len(users) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(users[0]) {
		t.Errorf("USER %q: a number that is not 0 is needed; scratch has no names", users)
	}
	var entry []string
	if err := json.Unmarshal([]byte(stage["ENTRYPOINT"][0]), &entry); err != nil {
		t.Fatalf("ENTRYPOINT %q is not in exec form, and scratch has no shell: %v", stage["ENTRYPOINT"], err)
	}
	copied := strings.Join(stage["COPY"], "\n")
	for _, want := range []string{"/out/muster " + entry[0], "/etc/ssl/certs/ca-certificates.crt", "--chown=" + stage["USER"][0] + " /out/data /data"} {
		if !strings.Contains(copied, want) {
			t.Errorf("no COPY of %s", want)
		}
	}
	if len(stage["RUN"]) > 0 {
		t.Errorf("RUN %q in an image without a shell", stage["RUN"])
	}
}

func TestTheImageIsBuiltFromThisToolchainWithoutC(t *testing.T) {
	list := readDockerfile(t)
	if from := list[0]; from.word != "FROM" || !strings.HasPrefix(from.rest, "golang:1.26") {
		t.Errorf("the first stage begins with %s %s", from.word, from.rest)
	}
	for _, i := range list {
		if i.word == "RUN" && strings.Contains(i.rest, "go build") {
			if !strings.HasPrefix(i.rest, "CGO_ENABLED=0 ") || !strings.Contains(i.rest, "-o /out/muster ./cmd/muster") {
				t.Errorf("RUN %s", i.rest)
			}
			return
		}
	}
	t.Error("nothing is built")
}
