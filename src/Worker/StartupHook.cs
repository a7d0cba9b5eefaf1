using Orleans.Joblib;
using Orleans.Joblib.Worker;

/// <summary>Makes a process that was started as the program itself a worker of it, before the program's <c>Main</c>: for programs that are a single file, or bring their framework.</summary>
// The runtime looks for this name, in no namespace.
#pragma warning disable CA1050
internal static class StartupHook
#pragma warning restore CA1050
{
    internal static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(WorkerCommand.HookVariable) is not { } parent)
        {
            return;
        }

        // Programs that calls start inherit the hook, and are no workers.
        Environment.SetEnvironmentVariable(WorkerCommand.HookVariable, null);
        if (parent == NativeProcess.ParentId.ToString(System.Globalization.CultureInfo.InvariantCulture) || OperatingSystem.IsWindows())
        {
            Program.Main();
        }
    }
}
