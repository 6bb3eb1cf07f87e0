package directorytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"
)

// Scenario is one situation with its scenes.
type Scenario struct {
	Name   string // "35 rename onto somebody else's name"
	Scenes []Scene
}

// Scene is one course of events under one policy.
type Scene struct {
	Name  string // "" where the scenario has one scene
	Steps []Step // what happens and, last, what holds in the end
	// files are the policies that the scene may refer to, by name.
	files map[string]string
}

// policyFile is where a scene begins.
const policyFile = "policy.yaml"

// Policy is the apply file that the scene begins with.
func (s *Scene) Policy() string { return s.files[policyFile] }

// Load reads every scenario of a folder, in the order of their file names.
func Load(folder string) ([]Scenario, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil {
		return nil, err
	}
	var list []Scenario
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no scenario in %s", folder)
	}
	return list, nil
}

// Parse reads one scenario.
func Parse(content []byte) (Scenario, error) {
	archive := txtar.Parse(content)
	title, _, _ := strings.Cut(string(archive.Comment), "\n")
	s := Scenario{Name: strings.TrimSpace(title)}
	if s.Name == "" {
		return s, fmt.Errorf("the first line is the number and the title")
	}
	common := map[string]string{}
	var folders []string
	inside := map[string]map[string]string{}
	for _, f := range archive.Files {
		folder, file, nested := cutLast(f.Name, "/")
		if !nested {
			folder, file = "", f.Name
			common[file] = string(f.Data)
		}
		if inside[folder] == nil {
			inside[folder] = map[string]string{}
			folders = append(folders, folder)
		}
		if _, twice := inside[folder][file]; twice {
			return s, fmt.Errorf("%s is there twice", f.Name)
		}
		inside[folder][file] = string(f.Data)
	}
	for _, folder := range folders {
		scene, err := newScene(folder, inside[folder], common)
		if err != nil {
			return s, err
		}
		if scene.Steps != nil {
			s.Scenes = append(s.Scenes, scene)
		}
	}
	if len(s.Scenes) == 0 {
		return s, fmt.Errorf("no scene has steps")
	}
	return s, nil
}

// newScene reads the steps of one folder. One without steps only lends its
// files to the others.
func newScene(name string, own, common map[string]string) (Scene, error) {
	s := Scene{Name: name, files: map[string]string{}}
	for _, files := range []map[string]string{common, own} {
		for file, content := range files {
			if isLent(file) {
				s.files[file] = content
			}
		}
	}
	for _, part := range []string{"steps", "after"} {
		steps, err := parseSteps(own[part])
		if err != nil {
			return s, fmt.Errorf("%s: %w", filepath.Join(name, part), err)
		}
		s.Steps = append(s.Steps, steps...)
	}
	for file := range own {
		if !isLent(file) && file != "steps" && file != "after" {
			return s, fmt.Errorf("%s: a scene has steps, after, .yaml and .csv files", filepath.Join(name, file))
		}
	}
	if s.Steps != nil && s.Policy() == "" {
		return s, fmt.Errorf("scene %q has no %s", name, policyFile)
	}
	return s, nil
}

// isLent says whether steps refer to the file by its name.
func isLent(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".csv")
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// Orders are the scene as written and then in every other order of its steps
// that are said to commute.
func (s *Scene) Orders() [][]Step {
	orders := [][]Step{nil}
	for _, step := range s.Steps {
		var next [][]Step
		blocks := [][]Step{{step}}
		if step.verb == "reorder" {
			blocks = permutations(step.block)
		}
		for _, steps := range orders {
			for _, block := range blocks {
				next = append(next, append(append([]Step{}, steps...), block...))
			}
		}
		orders = next
	}
	return orders
}

// permutations of a block, the written order first.
func permutations(block []Step) [][]Step {
	if len(block) <= 1 {
		return [][]Step{block}
	}
	var all [][]Step
	for i := range block {
		rest := append(append([]Step{}, block[:i]...), block[i+1:]...)
		for _, tail := range permutations(rest) {
			all = append(all, append([]Step{block[i]}, tail...))
		}
	}
	return all
}
