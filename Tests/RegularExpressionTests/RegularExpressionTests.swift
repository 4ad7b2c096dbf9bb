import RegularExpression
import Testing

