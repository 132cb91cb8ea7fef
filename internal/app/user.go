package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/config"
	"presswatch/internal/store"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func userCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:     "user",
		Short:   "Accounts: add, list, role, passwd",
		Example: "  presswatch user add lan --name \"Trần Thị Lan\" --role officer\n  presswatch user list\n  presswatch user role lan senior\n  presswatch user passwd lan",
	}
	c.AddCommand(userAdd(e), userList(e), userRole(e), userPasswd(e))
	return c
}

func (e *env) withDB(ctx context.Context, fn func(*store.DB) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	db, err := openDB(ctx, cfg, e.logger(cfg))
	if err != nil {
		return err
	}
	defer db.Close()
	return fn(db)
}

func userAdd(e *env) *cobra.Command {
	var u presswatch.User
	var role string
	var password bool
	c := &cobra.Command{
		Use: "add LOGIN", Short: "Add an account", Args: cobra.ExactArgs(1),
		Long: `Adds an account and prints a one-time sign-in link, valid for a day. With
--password a password is asked for (or read from standard input) instead.`,
		Example: "  presswatch user add lan --name \"Trần Thị Lan\" --role officer",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			u.Login, u.Role, u.CreatedAt = args[0], presswatch.Role(role), time.Now().UTC()
			if err := u.Validate(); err != nil {
				return err
			}
			return e.withDB(cmd.Context(), func(db *store.DB) error { return e.addUser(cmd.Context(), db, u, password) })
		}),
	}
	c.Flags().StringVar(&u.Name, "name", "", "name as others see it")
	c.Flags().StringVar(&role, "role", string(presswatch.RoleOfficer), fmt.Sprintf("one of %v", presswatch.Roles()))
	c.Flags().StringVar(&u.Locale, "locale", "", "language of the pages; default: the browser's")
	c.Flags().BoolVar(&password, "password", false, "set a password now")
	return c
}

func (e *env) addUser(ctx context.Context, db *store.DB, u presswatch.User, password bool) error {
	if password {
		if _, err := db.UserByLogin(ctx, u.Login); err == nil {
			return presswatch.Errorf(presswatch.Conflict, "there is a user %q already", u.Login)
		}
		hash, err := e.readPassword()
		if err != nil {
			return err
		}
		u.Hash = hash
	}
	if err := db.AddUser(ctx, u); err != nil {
		return err
	}
	if password {
		fmt.Fprintf(e.stdout, "%s added as %s\n", u.Login, u.Role)
		return nil
	}
	token, err := newLink(ctx, db, u.Login, 24*time.Hour)
	if err != nil {
		return err
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s added as %s. Sign in once, within a day, at\n  %s/sign-in/%s\n", u.Login, u.Role, pagesAt(cfg), token)
	return nil
}

// pagesAt is where the pages of these data are: where they are served now, or
// where the configuration says that they will be.
func pagesAt(cfg config.Config) string {
	if r, err := readRunning(cfg.Data); err == nil && r.API != "" && !cfg.HTTP.Secure && r.live(cfg.Data) {
		return r.API
	}
	return baseURL(cfg.HTTP.Secure, cfg.HTTP.Addr)
}

// newLink makes a one-time sign-in link's token.
func newLink(ctx context.Context, db *store.DB, login string, ttl time.Duration) (string, error) {
	return auth.New(auth.Options{Users: db, Sessions: db.Sessions(), Links: db, Now: time.Now}).NewLink(ctx, login, ttl)
}

// readPassword asks on the terminal, without echo, or takes one line of
// standard input. Never from a flag: those are seen by everyone on the machine.
func (e *env) readPassword() (string, error) {
	if f, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(e.stderr, "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.stderr)
		if err != nil {
			return "", err
		}
		return auth.HashPassword(string(b))
	}
	line, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", presswatch.Errorf(presswatch.Invalid, "password: nothing on standard input")
	}
	return auth.HashPassword(strings.TrimRight(line, "\r\n"))
}

func userList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the accounts", Args: cobra.NoArgs, Example: "  presswatch user list --json",
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			return e.withDB(cmd.Context(), func(db *store.DB) error {
				users, err := db.ListUsers(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(e.stdout, 0, 4, 2, ' ', 0)
				if !e.json {
					fmt.Fprintln(w, "LOGIN\tROLE\tNAME\tSINCE\tPASSWORD")
				}
				for _, u := range users {
					if e.json {
						if err := e.printJSON(u); err != nil {
							return err
						}
						continue
					}
					has := "link only"
					switch {
					case u.Disabled:
						has = "disabled"
					case u.Hash != "":
						has = "set"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.Login, u.Role, plain(u.Name), u.CreatedAt.Local().Format("2006-01-02"), has)
				}
				return w.Flush()
			})
		}),
	}
}

// changeUser loads an account, lets change edit it, and stores it.
func (e *env) changeUser(ctx context.Context, login string, change func(*presswatch.User) error) error {
	return e.withDB(ctx, func(db *store.DB) error {
		u, err := db.UserByLogin(ctx, login)
		if err != nil {
			return err
		}
		if err := change(&u); err != nil {
			return err
		}
		if err := u.Validate(); err != nil {
			return err
		}
		if err := db.UpdateUser(ctx, u); err != nil {
			return err
		}
		return e.warnNoAdmin(ctx, db)
	})
}

// warnNoAdmin says so when nobody is left who may manage accounts.
func (e *env) warnNoAdmin(ctx context.Context, db *store.DB) error {
	users, err := db.ListUsers(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Role == presswatch.RoleAdmin && !u.Disabled {
			return nil
		}
	}
	fmt.Fprintln(e.stderr, "presswatch: no administrator is left; presswatch user role LOGIN admin makes one")
	return nil
}

func userRole(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "role LOGIN ROLE|disabled|enabled", Short: "Change what an account may do, or close it", Args: cobra.ExactArgs(2),
		Example: "  presswatch user role lan senior\n  presswatch user role lan disabled",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			err := e.changeUser(cmd.Context(), args[0], func(u *presswatch.User) error {
				switch args[1] {
				case "disabled", "enabled":
					u.Disabled = args[1] == "disabled"
				default:
					u.Role = presswatch.Role(args[1])
				}
				return nil
			})
			if err == nil {
				fmt.Fprintf(e.stdout, "%s is now %s\n", args[0], args[1])
			}
			return err
		}),
	}
}

func userPasswd(e *env) *cobra.Command {
	var link bool
	c := &cobra.Command{
		Use: "passwd LOGIN", Short: "Set a password, or print a new one-time link", Args: cobra.ExactArgs(1),
		Example: "  presswatch user passwd lan\n  presswatch user passwd lan --link",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			if link {
				return e.withDB(cmd.Context(), func(db *store.DB) error { return e.printLink(cmd.Context(), db, args[0]) })
			}
			err := e.changeUser(cmd.Context(), args[0], func(u *presswatch.User) (err error) {
				u.Hash, err = e.readPassword()
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "password of %s set\n", args[0])
			return nil
		}),
	}
	c.Flags().BoolVar(&link, "link", false, "print a one-time sign-in link, valid for a day, instead")
	return c
}

func (e *env) printLink(ctx context.Context, db *store.DB, login string) error {
	u, err := db.UserByLogin(ctx, login)
	if err != nil {
		return err
	}
	if u.Disabled {
		return presswatch.Errorf(presswatch.Conflict, "%s is disabled: presswatch user role %s enabled", login, login)
	}
	token, err := newLink(ctx, db, login, 24*time.Hour)
	if err != nil {
		return err
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s/sign-in/%s\n", pagesAt(cfg), token)
	return nil
}
