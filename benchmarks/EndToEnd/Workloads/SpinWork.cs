using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A fixed amount of arithmetic that takes about as long as asked on a core of its own: no memory, no calls, the same work however late it runs.</summary>
internal sealed class SpinWork
{
    private const long TrialSteps = 20_000_000;
    private const int Trials = 5;

    private readonly long _steps;

    private SpinWork(long steps) => _steps = steps;

    internal static SpinWork Lasting(TimeSpan duration)
    {
        // The fastest trial is the one that nobody disturbed.
        var fastest = TimeSpan.MaxValue;
        for (var trial = 0; trial < Trials; trial++)
        {
            var began = Stopwatch.GetTimestamp();
            Spin(TrialSteps);
            var elapsed = Stopwatch.GetElapsedTime(began);
            fastest = elapsed < fastest ? elapsed : fastest;
        }

        return new SpinWork((long)(TrialSteps * (duration / fastest)));
    }

    internal ulong Run() => Spin(_steps);

    // Compiled once and fully: a loop that starts in slow code would be other work in its first calls.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static ulong Spin(long steps)
    {
        var x = 88172645463325252UL;
        for (var i = 0L; i < steps; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }

        return x;
    }
}
