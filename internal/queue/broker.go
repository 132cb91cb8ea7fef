package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"presswatch"
)

// BrokerOptions configures the embedded broker. Zero values take the defaults
// named here.
type BrokerOptions struct {
	Dir  string       // where the log is kept; required
	Addr string       // host:port on loopback; 127.0.0.1:0, any free port
	Log  *slog.Logger // slog.Default

	// Groups names, by topic, the consumer groups that must have done a message
	// before it may be dropped, prefixes included. Groups that the broker has
	// seen count as well, so this matters only for one that never ran yet.
	Groups map[string][]string

	TrimEvery time.Duration // how often done messages are dropped; 15 s, negative: never
}

// Broker is a Kafka-protocol log inside this process, for a single machine. A
// produce request is answered when its records are synced to disk. It keeps
// records on disk, not in memory, and drops them when all groups have done
// them, never by age.
type Broker struct {
	o       BrokerOptions
	cluster *kfake.Cluster
	addr    string
	lock    *flock.Flock

	stop    context.CancelFunc
	trimmed sync.WaitGroup
	closing sync.Once
}

const (
	segmentBytes = 4 << 20 // a segment is read whole when the log is opened, and dropped whole
	lockName     = "lock"
	logName      = "log"
)

// StartBroker opens the log in a folder, which is made when it is missing, and
// serves it. Conflict when another process has it open; Invalid for an address
// that is not on loopback, since the log asks nobody who they are; Unavailable
// when the address is taken.
func StartBroker(ctx context.Context, o BrokerOptions) (*Broker, error) {
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	o.Log = cmp.Or(o.Log, slog.Default())
	o.TrimEvery = cmp.Or(o.TrimEvery, 15*time.Second)
	if o.Dir == "" {
		return nil, presswatch.Errorf(presswatch.Invalid, "broker: no folder is given")
	}
	if err := checkLoopback(o.Addr); err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, logName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b := &Broker{o: o, lock: flock.New(filepath.Join(o.Dir, lockName))}
	// Two brokers on one folder would overwrite each other's records.
	switch got, err := b.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("broker: lock %s: %w", o.Dir, err)
	case !got:
		return nil, presswatch.Errorf(presswatch.Conflict, "broker: %s is in use by another process", o.Dir)
	}
	if err := b.open(dir); err != nil {
		_ = b.lock.Unlock()
		return nil, err
	}
	tctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.stop = stop
	if o.TrimEvery > 0 {
		b.trimmed.Add(1)
		go b.trimLoop(tctx)
	}
	return b, nil
}

func (b *Broker) open(dir string) (err error) {
	if err := recoverLog(dir, b.o.Log); err != nil {
		return fmt.Errorf("broker: recover %s: %w", dir, err)
	}
	var l net.Listener
	listen := func(network, _ string) (net.Listener, error) {
		l, err = net.Listen(network, b.o.Addr)
		return l, err
	}
	c, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(listen),
		kfake.ClusterID("presswatch-embedded"),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		kfake.WithLogger(brokerLog{b.o.Log}),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":          fmt.Sprint(maxTopicBytes),
			"log.segment.bytes":          fmt.Sprint(segmentBytes),
			"log.retention.ms":           "-1", // by age nothing is dropped: a group may be behind
			"log.retention.bytes":        "-1",
			"offsets.retention.minutes":  fmt.Sprint(10 * 365 * 24 * 60), // a group that rests keeps its place
			"default.replication.factor": "1",
		}),
	)
	if err != nil {
		if l == nil {
			return presswatch.Errorf(presswatch.Unavailable, "broker: listen on %s: %w", b.o.Addr, err)
		}
		return presswatch.Errorf(presswatch.Invalid, "broker: the log in %s cannot be opened: restore a backup, or move the folder away and run presswatch reindex, which makes what was not yet worked on anew from the evidence: %w", dir, err)
	}
	b.cluster, b.addr = c, l.Addr().String()
	c.ControlKey(int16(kmsg.CreateTopics), keepForEver)
	return nil
}

// keepForEver overrides retention of new topics; see Broker.
func keepForEver(req kmsg.Request) (kmsg.Response, error, bool) {
	if r, ok := req.(*kmsg.CreateTopicsRequest); ok {
		for i := range r.Topics {
			for j := range r.Topics[i].Configs {
				if c := &r.Topics[i].Configs[j]; strings.HasPrefix(c.Name, "retention.") {
					c.Value = kmsg.StringPtr("-1")
				}
			}
		}
	}
	return nil, nil, false
}

func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "broker: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return presswatch.Errorf(presswatch.Invalid, "broker: address %q is not on loopback", addr)
	}
	return nil
}

// Addr is the host:port to give to Options.Brokers.
func (b *Broker) Addr() string { return b.addr }

// Close stops serving, writes a snapshot that makes the next start fast, and
// frees the folder.
func (b *Broker) Close() error {
	var err error
	b.closing.Do(func() {
		b.stop()
		b.trimmed.Wait()
		b.cluster.Close()
		err = b.lock.Unlock()
	})
	return err
}

// brokerLog passes on what the broker warns of.
type brokerLog struct{ log *slog.Logger }

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("broker: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("broker: " + fmt.Sprintf(format, args...))
	}
}
