using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orleans.Joblib;

namespace TravelCases;

/// <summary>Calls that log and trace.</summary>
public static class Talk
{
    private static readonly ActivitySource Source = new("TravelCases");

    public static int Log(string text, int number)
    {
#pragma warning disable CA1873 // Costs nothing that a test would mind.
        Joblib.LoggerFactory!.CreateLogger("TravelCases.Talk").LogWarning(new InvalidTimeZoneException("thrown"), "Heard {Text} {Number}", text, number);
        Joblib.LoggerFactory!.CreateLogger("TravelCases.Talk").LogTrace("Nobody listens to {Text}", text);
#pragma warning restore CA1873
        return Environment.ProcessId;
    }

    public static string Trace()
    {
        using var activity = Source.StartActivity("talk");
        activity?.SetTag("answer", 42);
        return activity?.Id ?? "";
    }
}
