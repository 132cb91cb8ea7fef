package auth

// CountHashes makes fn see every comparison of a password, before it is done.
func (m *Manager) CountHashes(fn func(hash string) (done func())) {
	compare := m.compare
	m.compare = func(password, hash string) (bool, error) {
		defer fn(hash)()
		return compare(password, hash)
	}
}

// Limits of the package, for tests that go up to them.
const (
	MaxTracked = maxTracked
	MaxHashes  = maxHashes
	MaxWaiting = maxWaiting
)

// Tracked is how many accounts and addresses are followed.
func (m *Manager) Tracked() int { return len(m.tries.newer) + len(m.tries.older) }
