package presswatch

import (
	"errors"
	"fmt"
)

// Code classifies an error. It decides retry, HTTP status, exit status and the
// translated sentence; see CodeOf and Retryable.
type Code string

// The codes. They are stable: clients see them in problem documents.
const (
	Invalid      Code = "invalid"      // the input is wrong; trying again cannot help
	NotFound     Code = "not_found"    // no such thing
	Conflict     Code = "conflict"     // somebody else was first; look again and decide anew
	Unauthorized Code = "unauthorized" // who are you?
	Forbidden    Code = "forbidden"    // you may not
	TooMany      Code = "too_many"     // slow down
	TooLarge     Code = "too_large"    // over a limit of size, depth or count
	Unavailable  Code = "unavailable"  // a part that we depend on is away; trying again may help
	Internal     Code = "internal"     // a defect of ours
)

// Error is an error with a code. Make one with Errorf.
type Error struct {
	Code Code
	Err  error // what happened, in words fit for a person; never nil
}

// Error is the text of what happened.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives what happened, and so its causes, to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes a coded error; format and args are those of fmt.Errorf, so a %w
// in it keeps the cause.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf returns the code of the first coded error in the chain, or Internal.
// A nil error has the empty code.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Retryable reports whether the same work may succeed later.
func Retryable(err error) bool { return CodeOf(err) == Unavailable }
