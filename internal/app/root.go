package app

import (
	"fmt"

	"github.com/spf13/cobra"
)

// commands is every command, in the order of the help.
func commands(e *env) []*cobra.Command {
	return []*cobra.Command{
		upCommand(e), crawlCommand(e), workCommand(e), serveCommand(e),
		importCommand(e), collectCommand(e), extractCommand(e), storiesCommand(e), classifyCommand(e),
		evalCommand(e), trainCommand(e), searchCommand(e), sourcesCommand(e), deadCommand(e),
		reindexCommand(e), userCommand(e), doctorCommand(e), versionCommand(e),
	}
}

func rootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "presswatch",
		Short: "Collects the press, finds what needs review, and brings it to people who decide",
		Long: `Presswatch collects press articles and social posts, puts copies together into
stories, scores how much each needs a reviewer's look, with reasons, and keeps
an archive and a queue. It never says that something is false: people do.

Begin with:  presswatch up --demo`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&e.configFile, "config", "", "configuration file (default: presswatch.yaml, when there is one)")
	f.Func("data", "data folder (default: presswatch-data)", e.key("data"))
	f.Func("log-level", "debug, info, warn or error", e.key("log.level"))
	f.BoolVar(&e.json, "json", false, "print JSON, one object a line, for machines")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(commands(e)...)
	return root
}

// key makes a flag that sets a key of the configuration.
func (e *env) key(name string) func(string) error {
	return func(v string) error {
		e.flags[name] = v
		return nil
	}
}
