using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Orleans.Joblib;

/// <summary>What the silos of this process have at the moment: asked when somebody exports, and only then.</summary>
internal static class SiloGauges
{
    private static readonly ConcurrentDictionary<object, Func<SiloSlots>> Silos = new();

    private static readonly Instrument[] Instruments =
    [
        JoblibInstruments.Meter.CreateObservableUpDownCounter("joblib.slots", static () => Sum(silo => silo.Size), "{slot}", "Slots of this process's silos; 0 of one that drains."),
        JoblibInstruments.Meter.CreateObservableUpDownCounter("joblib.batches.queued", static () => Sum(silo => silo.Queued), "{batch}", "Batches that wait for a slot of this process's silos."),
        JoblibInstruments.Meter.CreateObservableUpDownCounter("joblib.runs.open", static () => Sum(silo => silo.Runs), "{run}", "Runs that have slots on this process's silos."),
    ];

    /// <summary>Counts a silo from now on.</summary>
    internal static void Add(object silo, Func<SiloSlots> status)
    {
        if (Instruments.Length > 0)
        {
            Silos[silo] = status;
        }
    }

    internal static void Remove(object silo) => Silos.TryRemove(silo, out _);

    private static long Sum(Func<SiloSlots, int> part) => Silos.Values.Sum(status => (long)part(status()));
}
