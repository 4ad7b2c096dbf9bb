import HCL
import Testing

