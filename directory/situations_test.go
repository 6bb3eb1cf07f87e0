package directory_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"muster/directory/directorytest"
)

var update = flag.Bool("update", false, "write situations.go anew")

// situations is how many there are, numbered from 1.
const situations = 81

// TestEverySituationHasItsScenario holds the table of the package comment
// against the scenario files: one for each number, and none beside.
func TestEverySituationHasItsScenario(t *testing.T) {
	scenarios, err := directorytest.Load("../testdata/conflicts")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/conflicts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("// # Situations\n//\n// Each conflict that several writers can get into has a scenario in\n// testdata/conflicts, which is played through Apply, through HTTP, and in every\n// order of the steps that commute:\n//\n")
	if len(scenarios) != situations {
		t.Errorf("%d scenarios for %d situations", len(scenarios), situations)
	}
	for i, s := range scenarios {
		number, title, ok := strings.Cut(s.Name, " ")
		if number != strconv.Itoa(i+1) {
			t.Errorf("situation %d has no scenario, or two; its place is %s's", i+1, number)
		}
		if name := filepath.Base(files[i]); !ok || !strings.HasPrefix(name, fmt.Sprintf("%02s-", number)) {
			t.Errorf("%s tells of situation %q", name, s.Name)
		}
		fmt.Fprintf(&b, "//\t%2s  %-64s %s\n", number, title, filepath.Base(files[i]))
	}
	b.WriteString("package directory\n")
	if *update {
		if err := os.WriteFile("situations.go", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table, err := os.ReadFile("situations.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(table) != b.String() {
		t.Errorf("situations.go is not what the scenarios say; write it anew with -update:\n%s", b.String())
	}
}
