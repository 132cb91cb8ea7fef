package auth_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"presswatch"
	"presswatch/internal/auth"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestPolicy prints the whole table, so that every change of it shows in a
// review.
func TestPolicy(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-16s", "")
	for _, r := range presswatch.Roles() {
		fmt.Fprintf(&b, "%-10s", r)
	}
	for _, a := range auth.Actions() {
		fmt.Fprintf(&b, "\n%-16s", a)
		for _, r := range presswatch.Roles() {
			cell := "-"
			if auth.Can(r, a) {
				cell = "yes"
			}
			fmt.Fprintf(&b, "%-10s", cell)
		}
	}
	b.WriteByte('\n')
	const golden = "testdata/policy.golden"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the policy differs from %s (err %v); look, then run with -update:\n%s", golden, err, b.Bytes())
	}
}

func TestPolicyDeniesByDefault(t *testing.T) {
	for _, a := range append(auth.Actions(), "", "unknown", "DECIDE") {
		for _, role := range []presswatch.Role{"", "root", "ADMIN"} {
			if auth.Can(role, a) {
				t.Errorf("role %q may %q", role, a)
			}
		}
	}
	for _, role := range presswatch.Roles() {
		for _, a := range []auth.Action{"", "unknown", "DECIDE", "decide "} {
			if auth.Can(role, a) {
				t.Errorf("role %q may %q", role, a)
			}
		}
	}
}

func TestPolicyRules(t *testing.T) {
	changes := []auth.Action{auth.Decide, auth.ReopenOwn, auth.Reopen, auth.ManageSources, auth.RetryDead, auth.ManageUsers}
	for _, a := range auth.Actions() {
		if auth.Can(presswatch.RoleNewsroom, a) && a != auth.OwnAccount {
			t.Errorf("a newsroom may %s", a)
		}
		if got, want := auth.Can(presswatch.RoleAuditor, a), !slices.Contains(changes, a); got != want {
			t.Errorf("an auditor reads everything and changes nothing, but %s: %v", a, got)
		}
		if !auth.Can(presswatch.RoleAdmin, a) {
			t.Errorf("an admin may not %s", a)
		}
		if auth.Can(presswatch.RoleOfficer, a) && !auth.Can(presswatch.RoleSenior, a) {
			t.Errorf("an officer may %s, a senior may not", a)
		}
	}
}
