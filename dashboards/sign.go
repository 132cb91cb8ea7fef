package dashboards

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/web"
)

type signInData struct {
	Login   string
	Next    string
	Mistake string // key of a message
}

func (a *app) signInForm(w http.ResponseWriter, r *http.Request, p *page) error {
	next := safeNext(r.URL.Query().Get("next"))
	if p.SignedIn {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	a.renderSignIn(w, p, signInData{Next: next}, http.StatusOK)
	return nil
}

func (a *app) renderSignIn(w http.ResponseWriter, p *page, d signInData, status int) {
	p.Title, p.Data = p.T("signin.title"), d
	a.render(w, p, "signin", status)
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	login := strings.ToLower(strings.TrimSpace(cut(r.PostForm.Get("login"), 100)))
	next := safeNext(r.PostForm.Get("next"))
	_, err := a.Auth.SignIn(r.Context(), login, r.PostForm.Get("password"), web.RemoteIP(r))
	d := signInData{Login: login, Next: next}
	switch code := presswatch.CodeOf(err); code {
	case "":
		http.Redirect(w, r, next, http.StatusSeeOther)
	case presswatch.Unauthorized, presswatch.NotFound, presswatch.Invalid, presswatch.Forbidden:
		d.Mistake = "signin.wrong"
		a.renderSignIn(w, p, d, http.StatusUnauthorized)
	case presswatch.TooMany:
		d.Mistake = "signin.too_many"
		if wait, ok := auth.RetryAfter(err); ok {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		}
		a.renderSignIn(w, p, d, http.StatusTooManyRequests)
	default:
		return err
	}
	return nil
}

// linkForm asks for a click before it uses a one-time link up: programs that
// preview links only look.
func (a *app) linkForm(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title, p.Langs = p.T("link.title"), nil
	p.Data = signInData{Next: "/sign-in/" + url.PathEscape(r.PathValue("token"))}
	a.render(w, p, "link", http.StatusOK)
	return nil
}

func (a *app) signInByLink(w http.ResponseWriter, r *http.Request, p *page) error {
	_, err := a.Auth.SignInByLink(r.Context(), r.PathValue("token"))
	switch presswatch.CodeOf(err) {
	case "":
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case presswatch.Unauthorized, presswatch.NotFound, presswatch.Invalid, presswatch.Forbidden, presswatch.Conflict:
		a.renderSignIn(w, p, signInData{Next: "/", Mistake: "link.spent"}, http.StatusUnauthorized)
	default:
		return err
	}
	return nil
}

func (a *app) signOutForm(w http.ResponseWriter, r *http.Request, p *page) error {
	if !p.SignedIn {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return nil
	}
	p.Title = p.T("signout.title")
	a.render(w, p, "signout", http.StatusOK)
	return nil
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request, _ *page) error {
	if err := a.Auth.SignOut(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

// safeNext returns an address on this site to go to after signing in: a path
// and a query, nothing that a browser could take for another site.
func safeNext(next string) string {
	bad := func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }
	if len(next) > 2048 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, bad) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, bad) {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
