package auth

import (
	"slices"

	"presswatch"
)

// Action is something a user may or may not do. Its text is stable: it stands
// in the audit trail and in problem documents.
type Action string

// The actions. What is not listed in the policy is refused.
const (
	OwnAccount    Action = "own_account"    // see oneself, change one's own password and language
	Search        Action = "search"         // search and read the archive and stories, with risk and evidence
	Export        Action = "export"         // take search results and lists out as files
	ReadStats     Action = "read_stats"     // see counts over archive and queue
	ReadQueue     Action = "read_queue"     // see cases and their history
	Decide        Action = "decide"         // decide an open case
	ReopenOwn     Action = "reopen_own"     // take back a decision of one's own
	Reopen        Action = "reopen"         // take back anybody's decision
	ReadSources   Action = "read_sources"   // see what is collected, and how well
	ManageSources Action = "manage_sources" // change what is collected
	ReadDead      Action = "read_dead"      // see messages that could not be worked on
	RetryDead     Action = "retry_dead"     // send them through again
	ReadAudit     Action = "read_audit"     // see the chain of events and verify it
	ReadUsers     Action = "read_users"     // see who has an account
	ManageUsers   Action = "manage_users"   // add, change, disable users; make sign-in links
)

// rule is one row of the policy.
type rule struct {
	action Action
	roles  []presswatch.Role
}

// policy is the one table of who may do what. Newsrooms see nothing of scores,
// notes and other outlets; auditors read everything and change nothing;
// officers work the queue; seniors may undo others; admins run the place.
func policy() []rule {
	const (
		newsroom = presswatch.RoleNewsroom
		analyst  = presswatch.RoleAnalyst
		auditor  = presswatch.RoleAuditor
		officer  = presswatch.RoleOfficer
		senior   = presswatch.RoleSenior
		admin    = presswatch.RoleAdmin
	)
	to := func(roles ...presswatch.Role) []presswatch.Role { return roles }
	return []rule{
		{OwnAccount, to(newsroom, analyst, auditor, officer, senior, admin)},
		{Search, to(analyst, auditor, officer, senior, admin)},
		{Export, to(analyst, auditor, officer, senior, admin)},
		{ReadStats, to(analyst, auditor, officer, senior, admin)},
		{ReadQueue, to(auditor, officer, senior, admin)},
		{Decide, to(officer, senior, admin)},
		{ReopenOwn, to(officer, senior, admin)},
		{Reopen, to(senior, admin)},
		{ReadSources, to(analyst, auditor, officer, senior, admin)},
		{ManageSources, to(admin)},
		{ReadDead, to(auditor, admin)},
		{RetryDead, to(admin)},
		{ReadAudit, to(auditor, senior, admin)},
		{ReadUsers, to(auditor, admin)},
		{ManageUsers, to(admin)},
	}
}

// Can reports whether a role may do an action. An unknown role may do nothing,
// and nobody may do an unknown action.
func Can(role presswatch.Role, a Action) bool {
	for _, r := range policy() {
		if r.action == a {
			return slices.Contains(r.roles, role)
		}
	}
	return false
}

// Actions returns every action, in the order of the policy.
func Actions() []Action {
	var all []Action
	for _, r := range policy() {
		all = append(all, r.action)
	}
	return all
}
