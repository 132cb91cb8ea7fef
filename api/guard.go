package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/web"
)

// What routes ask for beside the actions of auth.Can.
const (
	anyone = auth.Action("")      // no account needed
	local  = auth.Action("local") // this machine, or whoever may read sources
)

const (
	maxBody  = 1 << 20 // bytes of a request body
	maxQuery = 8 << 10 // bytes of a query string
)

// outer goes around everything: headers, caps, recovery, and problems for
// what the mux does not know.
func (s *Server) outer(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), policy)
		tw := &trackedWriter{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				s.recovered(tw, r, v)
			}
		}()
		if r.ContentLength > maxBody {
			s.fail(tw, r, presswatch.Errorf(presswatch.TooLarge, "body: the most is %d bytes", maxBody))
			return
		}
		r.Body = http.MaxBytesReader(tw, r.Body, maxBody)
		r, err := tidyQuery(r)
		if err != nil {
			s.fail(tw, r, err)
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			s.unmatched(tw, r, mux)
			return
		}
		mux.ServeHTTP(tw, r)
	})
}

// tidyQuery refuses a query that does not parse, and writes the others in one
// form: what reads single parameters by hand further in mistakes odd ones.
func tidyQuery(r *http.Request) (*http.Request, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return r, presswatch.Errorf(presswatch.TooLarge, "query: the most is %d bytes", maxQuery)
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return r, presswatch.Errorf(presswatch.Invalid, "query: cannot be parsed")
	}
	c := *r
	u := *r.URL
	u.RawQuery = q.Encode()
	c.URL = &u
	return &c, nil
}

// policy lets the documentation page load its style, and nothing else.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard lets a request through to the route when the rate allows it and the
// user may: bearer token first, session (put there by auth.Wrap) second.
func (s *Server) guard(rt route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip := web.RemoteIP(r)
		if wait := s.limits.take("ip "+ip, s.limits.PerIP, rt.cost, s.Now()); wait > 0 {
			s.tooMany(w, r, wait)
			return
		}
		r, err := s.authenticate(r)
		if err != nil {
			s.limits.charge("ip "+ip, s.limits.PerIP, wrongTokenCost, s.Now())
			s.fail(w, r, err)
			return
		}
		if user, ok := auth.UserOf(r.Context()); ok {
			if wait := s.limits.take("user "+user.Login, s.limits.PerUser, rt.cost, s.Now()); wait > 0 {
				s.tooMany(w, r, wait)
				return
			}
		}
		if err := authorize(rt.action, r); err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wrongTokenCost is what a wrong bearer token takes from its address's bucket.
const wrongTokenCost = 20

// authenticate puts the holder of the local bearer token into the context. A
// request without an Authorization header passes as it is.
func (s *Server) authenticate(r *http.Request) (*http.Request, error) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return r, nil
	}
	scheme, token, _ := strings.Cut(h, " ")
	want, got := sha256.Sum256([]byte(s.Token)), sha256.Sum256([]byte(strings.TrimSpace(token)))
	if !strings.EqualFold(scheme, "Bearer") || s.Token == "" || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return r, presswatch.Errorf(presswatch.Unauthorized, "authorization: the token is not known here")
	}
	u := presswatch.User{Login: "local", Name: "local token", Role: presswatch.RoleAdmin}
	return r.WithContext(auth.WithUser(r.Context(), u)), nil
}

func authorize(action auth.Action, r *http.Request) error {
	if action == anyone {
		return nil
	}
	user, ok := auth.UserOf(r.Context())
	if action == local {
		if isLocal(r) || ok && auth.Can(user.Role, auth.ReadSources) {
			return nil
		}
		action = auth.ReadSources
	}
	switch {
	case !ok:
		return presswatch.Errorf(presswatch.Unauthorized, "sign in, or send a bearer token")
	case auth.Can(user.Role, action):
		return nil
	}
	return presswatch.Errorf(presswatch.Forbidden, "the role %s may not do this (%s)", user.Role, action)
}

// isLocal reports whether the request was made on this machine itself, not
// passed on by a proxy that runs here.
func isLocal(r *http.Request) bool {
	ip := net.ParseIP(web.RemoteIP(r))
	return ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

// unmatched answers what no route matches: 404, or 405 with the methods that
// there are, as the mux has found out.
func (s *Server) unmatched(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	if wait := s.limits.take("ip "+web.RemoteIP(r), s.limits.PerIP, 1, s.Now()); wait > 0 {
		s.tooMany(w, r, wait)
		return
	}
	probe := &headerOnly{header: http.Header{}}
	mux.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		allow := probe.header.Get("Allow")
		w.Header().Set("Allow", allow)
		p := newProblem(presswatch.Invalid, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not possible here; %s is", r.Method, allow))
		writeProblem(w, p)
		return
	}
	s.fail(w, r, presswatch.Errorf(presswatch.NotFound, "there is nothing at this address"))
}

func (s *Server) recovered(w *trackedWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.Log.ErrorContext(r.Context(), "api: handler panicked", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.wrote {
		panic(http.ErrAbortHandler) // the answer has begun: cut it, so that nobody takes it for whole
	}
	writeProblem(w, newProblem(presswatch.Internal, http.StatusInternalServerError, internalDetail))
}

func (s *Server) tooMany(w http.ResponseWriter, r *http.Request, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	s.fail(w, r, presswatch.Errorf(presswatch.TooMany, "too many requests; try again in %d s", seconds))
}

// trackedWriter remembers whether an answer has begun.
type trackedWriter struct {
	http.ResponseWriter
	wrote bool
}

// WriteHeader sends the status. A body that fails validation is a bad request
// here, whichever way it is found out.
func (w *trackedWriter) WriteHeader(status int) {
	w.wrote = true
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *trackedWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (w *trackedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// headerOnly takes an answer and keeps its status and header.
type headerOnly struct {
	header http.Header
	status int
}

// Header returns the header kept.
func (h *headerOnly) Header() http.Header { return h.header }

// WriteHeader keeps the status.
func (h *headerOnly) WriteHeader(status int) { h.status = status }

// Write drops the body.
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }
