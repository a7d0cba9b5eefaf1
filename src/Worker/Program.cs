using System.Reflection;

namespace Orleans.Joblib.Worker;

/// <summary>A worker process of a program: executes batches of its calls. Started by the program's process pool, with pipes for standard input and output.</summary>
internal static class Program
{
    internal static void Main() => WorkerLoop.Run(typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
}
