using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Perfolizer.Horology;

// BenchmarkDotNet's default job takes a quarter of an hour over these. Name one (--job medium) for numbers to decide by.
var namesJob = args.Any(argument => argument is "-j" or "--job");
var config = namesJob
    ? DefaultConfig.Instance
    : DefaultConfig.Instance.AddJob(Job.ShortRun.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithIterationCount(5));
string[] allByDefault = args.Any(argument => argument is "-f" or "--filter" or "--list") ? [] : ["--filter", "*"];
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. args, .. allByDefault], config);
