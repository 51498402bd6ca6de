"""model_signing_run.py -- runs many commands of model_signing after importing it once.

    model_signing_run.py <LIST >RESULTS

A line of LIST is a name, a folder and arguments, separated by tabs; one of RESULTS the name, the exit
code and the last line of what was printed. Each command runs in a process of its own, in its folder,
for at most a minute.
"""
import logging
import os
import signal
import sys
import tempfile
import traceback

from click.testing import CliRunner
from model_signing import _cli


def run(folder, arguments, out):
    signal.alarm(60)
    os.chdir(folder)
    logging.disable(logging.CRITICAL)
    result = CliRunner().invoke(_cli.main, arguments)
    text = result.output.strip() or repr(result.exception)
    if result.exception and not isinstance(result.exception, SystemExit):
        text += "".join(traceback.format_exception_only(result.exception))
    out.write(text)
    out.flush()
    return result.exit_code


warm = False  # what is imported and built at the first use is there in all later processes
for line in sys.stdin:
    name, folder, *arguments = line.rstrip("\n").split("\t")
    if not warm:
        with open(os.devnull, "w") as nowhere:
            here = os.getcwd()
            run(folder, arguments, nowhere)
            os.chdir(here)
        signal.alarm(0)
        warm = True
    with tempfile.TemporaryFile("w+") as out:
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = run(folder, arguments, out)
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        out.seek(0)
        lines = out.read().split("\n")
    code = os.waitstatus_to_exitcode(status)
    print(name, code, lines[-1].replace("\t", " ")[:200], sep="\t", flush=True)
