import Glibc
import Simulation

exit(runSimulations(CommandLine.arguments))
