"""``tandem``: one command with one module a subcommand, loaded only when it is called."""

import importlib
from typing import Any

import click

from infra.command.output import Failure
from infra.local.ports import StartError

# Subcommand, module and line of help; in the order in which a newcomer meets them.
_COMMANDS = {
    "demo": ("demo", "Show the whole system at work on a made-up population."),
    "up": ("up", "Start an installation on this machine; Ctrl-C stops it."),
    "deliver": ("deliver", "Deliver files and wait until their figures are published."),
    "fetch": ("fetch", "Fetch claims and people from CMS's bulk APIs (BCDA, AB2D, DPC) into the inbox."),
    "status": ("status", "How far each service has come, and what waits."),
    "simulate": ("simulate", "Write the files of a made-up population, with the truth beside them."),
    "check": ("check", "Check this installation, or what files hold, and say what to do."),
    "score": ("score", "Score a file of people with CMS-HCC V24 or V28."),
    "explain-risk": ("explain_risk", "Why a person has their risk scores and tier, in plain words."),
    "train-risk": ("train_risk", "Fit and judge the model of avoidable admissions."),
    "deliveries": ("deliveries", "What was delivered, what it held, what is refused or held; decide about it."),
    "people": ("people", "Who is who: what was linked and why, what to look at, and decisions about it."),
    "actions": ("actions", "Care actions: worklists, exports, what became of them, and facilities' rates."),
    "explain": ("explain", "Say why a person counts in a month, or does not, as known then."),
    "reconcile": ("reconcile", "CMS's alignment report against ours: list, show, close, export."),
    "policy": ("policy", "The dated parameters of every service: show, check, compare two months."),
    "clients": ("clients", "Who may read from outside: states and entities, their keys, what they may do."),
    "audit": ("audit", "The record of every read from outside: where it ends, and whether it is as it was written."),
    "evidence": ("evidence", "Write what a cost-shift signal rests on, for a statistician to check."),
    "keys": ("keys", "Change the key that seals identifiers, lines and dead letters."),
    "dead-letters": ("dead_letters", "List, replay or drop messages that could not be applied."),
    "rebuild": ("rebuild", "Rebuild a read model from the log and compare it with the live one."),
    "tail": ("tail", "Follow the logs of the running processes, or the events on a topic."),
    "run": ("run", "Run one process of a service in the foreground."),
}
_HIDDEN = {"run"}


class _CommandGroup(click.Group):
    """Imports a subcommand's module on demand: ``tandem --help`` must not load every service."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All but those meant for supervisors and containers."""
        del ctx
        return [name for name in _COMMANDS if name not in _HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand's click object."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"infra.command.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of help, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own type
        """Turn errors that a person can act on into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except StartError as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            raise Failure("Stopped.", exit_code=130) from None


@click.group(cls=_CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="tandem")
def main() -> None:
    """Dual eligibles across Medicare and Medicaid: who is aligned, who is at risk, and who pays for whose savings.

    Try 'tandem demo'. Then 'tandem up' in one terminal and 'tandem deliver FILE' in another.
    """
