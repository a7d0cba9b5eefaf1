namespace Orleans.Joblib.Cli;

/// <summary>What the program says to scripts; docs/cli.md lists them.</summary>
internal static class ExitCode
{
    internal const int Ok = 0;

    /// <summary>The command did not do what was asked, or found a fault.</summary>
    internal const int Failed = 1;

    /// <summary>The command line, the cluster string or a certificate's file cannot be used; nothing was tried.</summary>
    internal const int BadUsage = 2;

    /// <summary>The cluster was not reached.</summary>
    internal const int NotReached = 3;

    /// <summary>Ctrl-C, as shells have it.</summary>
    internal const int Interrupted = 130;
}
