internal import Agent
internal import CommandLine
internal import Glibc

// The one program: `serai agent` runs an agent, everything else is the command line tool.
exit(SeraiProgram.run(Array(Swift.CommandLine.arguments.dropFirst())))
