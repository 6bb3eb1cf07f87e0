package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
)

func explainCommand(getenv func(string) string) *cobra.Command {
	var store, org string
	var server remote
	cmd := &cobra.Command{
		Use:   "explain --org ORG USER",
		Short: "Say why a user is as it is: who gave each value, when, and what it beat",
		Long:  "Say why a user, named by userName or id, is as it is: who gave each value, when, and what it beat. Where a server runs, name it with --server and give an administration token.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if org == "" {
				return errors.New("explain: --org ORG is missing")
			}
			if server.isSet() {
				if err := server.check(getenv); err != nil {
					return err
				}
				e, err := server.explain(cmd.Context(), org, args[0])
				if err != nil {
					return fmt.Errorf("user %s of %s: %w", args[0], org, err)
				}
				tell(cmd.OutOrStdout(), e)
				return nil
			}
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error {
				id, err := findUser(cmd, d, org, args[0])
				if err != nil {
					return fmt.Errorf("user %s of %s: %w", args[0], org, err)
				}
				e, err := d.Explain(cmd.Context(), org, id)
				if err != nil {
					return fmt.Errorf("user %s of %s: %w", args[0], org, err)
				}
				tell(cmd.OutOrStdout(), e)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	server.bind(cmd.Flags())
	cmd.Flags().StringVar(&org, "org", "", "the organisation's id")
	return cmd
}

// findUser takes an id as it is, and looks a userName up.
func findUser(cmd *cobra.Command, d *directory.Directory, org, name string) (directory.ID, error) {
	if id, ok := directory.ParseID(name); ok {
		return id, nil
	}
	filter := directory.UserName + " eq " + strconv.Quote(name)
	page, err := d.Users(cmd.Context(), directory.Viewer{Org: org}, directory.Query{Filter: filter, Limit: 1, SkipGroups: true})
	if err != nil {
		return directory.NoID, err
	}
	if len(page.Items) == 0 {
		return directory.NoID, directory.ErrNotFound
	}
	return page.Items[0].ID, nil
}

// tell writes an explanation: the effective value of each attribute, and under it every word said about it, the
// winner's marked.
func tell(w io.Writer, e *directory.Explanation) {
	fmt.Fprintf(w, "user   %s\nstate  %s\nhome   %s\n", e.User, e.State, orNone(e.Home))
	if e.Into != directory.NoID {
		fmt.Fprintf(w, "merged into %s\n", e.Into)
	}
	if e.Denied != "" {
		fmt.Fprintf(w, "denied by %s\n", e.Denied)
	}
	for _, lock := range e.Locks {
		scope := ""
		if lock.LinkOnly {
			scope = ", its own link only"
		}
		if !lock.Holds() {
			scope += ", set aside"
		}
		fmt.Fprintf(w, "locked by %s%s\n", said(lock.Source, lock.Stamp), scope)
	}
	for _, link := range e.Links {
		fmt.Fprintf(w, "link   %s/%s %q%s\n", link.Channel, link.Connection, link.Subject, linkNote(link))
	}
	for _, edge := range e.Edges {
		fmt.Fprintf(w, "group  %q from %s%s\n", edge.Group.Name, edge.Group.Source, edgeNote(edge))
	}
	for _, a := range e.Attributes {
		fmt.Fprintf(w, "\n%s = %s\n", a.Name, show(a.Value))
		for _, word := range a.Told {
			tellWord(w, word)
		}
	}
}

func tellWord(w io.Writer, word directory.Word) {
	mark := " "
	if word.Wins {
		mark = "*"
	}
	origin := said(word.Source, word.Stamp)
	if word.Rule != "" {
		origin += " " + word.Rule
	}
	if word.Reason != "" {
		origin += ", because " + strconv.Quote(word.Reason)
	}
	if !word.Until.IsZero() {
		origin += ", until " + word.Until.UTC().Format(time.RFC3339)
	}
	if word.Note != "" {
		origin += ": " + word.Note
	}
	fmt.Fprintf(w, "  %s %s  (%s)\n", mark, show(word.Value), origin)
}

// edgeNote says how somebody is in a group, unless directly, and why it does not count.
func edgeNote(edge directory.GroupEdge) string {
	note := ""
	if !edge.Direct {
		note = fmt.Sprintf(" through %s", edge.Through)
	}
	if edge.Note != "" {
		note += ", does not count: " + edge.Note
	}
	return note
}

func linkNote(l directory.Link) string {
	switch {
	case l.State == directory.LinkLocked:
		return " (locked)"
	case l.State == directory.LinkDeleted:
		return " (deleted)"
	case l.State == directory.LinkMoved:
		return " (an earlier name, reserved)"
	case l.Ahead:
		return " (made ahead of the first sign-in)"
	}
	return ""
}

// said is who, when and in which request.
func said(source directory.Source, stamp directory.Stamp) string {
	text := source.String()
	if stamp.Actor != "" {
		text += " by " + stamp.Actor
	}
	if !stamp.At.IsZero() {
		text += " at " + stamp.At.UTC().Format(time.RFC3339)
	}
	if stamp.Request != "" {
		text += " request " + stamp.Request
	}
	return text
}

// show is a value on one line: texts in quotes, elements with their fields.
func show(v directory.Value) string {
	if len(v) == 0 {
		return "(none)"
	}
	elements := make([]string, len(v))
	for i, e := range v {
		elements[i] = showElement(e)
	}
	return strings.Join(elements, ", ")
}

func showElement(e directory.Element) string {
	if len(e) == 1 && e[0].Name == "value" {
		return strconv.Quote(e[0].Text)
	}
	fields := make([]string, len(e))
	for i, f := range e {
		fields[i] = f.Name + "=" + strconv.Quote(f.Text)
	}
	return "{" + strings.Join(fields, " ") + "}"
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
