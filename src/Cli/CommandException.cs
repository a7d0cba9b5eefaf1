namespace Orleans.Joblib.Cli;

/// <summary>A command ends without having done what was asked.</summary>
#pragma warning disable CA1032 // Thrown and caught in this program only.
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    internal int ExitCode => exitCode;
}
