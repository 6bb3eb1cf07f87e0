package main

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
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

func TestTheImagesBuildCommandMakesAStaticBinary(t *testing.T) {
	var command string
	for _, i := range readDockerfile(t) {
		if i.word == "RUN" && strings.Contains(i.rest, "go build") {
			command, _, _ = strings.Cut(i.rest, " && ")
		}
	}
	binary := filepath.Join(t.TempDir(), "muster")
	command = strings.Replace(command, "/out/muster", binary, 1)
	if !strings.Contains(command, binary) || !strings.HasPrefix(command, "CGO_ENABLED=0 ") {
		t.Fatalf("unexpected build command %q", command)
	}
	build := exec.Command("sh", "-c", command)
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary needs a dynamic loader, and scratch has none")
		}
	}
}
