using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Orleans.Joblib.Benchmarks.Micro;
using Perfolizer.Horology;

// Not for BenchmarkDotNet: see there.
if (args is ["arrays", .. var rest])
{
    return ArrayWrites.Run(rest is [var rounds] ? int.Parse(rounds, System.Globalization.CultureInfo.InvariantCulture) : 5);
}

// BenchmarkDotNet's default job takes a quarter of an hour over these. Name one (--job medium) for numbers to decide by.
var namesJob = args.Any(argument => argument is "-j" or "--job");
var config = namesJob
    ? DefaultConfig.Instance
    : DefaultConfig.Instance.AddJob(Job.ShortRun.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithIterationCount(5));
string[] allByDefault = args.Any(argument => argument is "-f" or "--filter" or "--list") ? [] : ["--filter", "*"];
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. args, .. allByDefault], config);
return 0;
