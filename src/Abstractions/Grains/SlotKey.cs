using System.Globalization;
using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>A batch grain's key: run id and slot number, and the silo that the slot is on.</summary>
/// <remarks>The silo is part of the key so that placement needs no look-up and a slot never wakes up on a silo that did not grant it.</remarks>
/// <param name="Run">The run's id.</param>
/// <param name="Number">The slot's number within the run, from 0.</param>
/// <param name="Silo">The slot's silo.</param>
public readonly record struct SlotKey(Guid Run, int Number, SiloAddress Silo)
{
    /// <summary>The key as Orleans stores it: <c>run/slot@silo</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Run:N}/{Number}@{Silo.ToParsableString()}");

    /// <summary>The key of a silo's slots grain.</summary>
    internal static string ForSilo(SiloAddress silo) => "slots@" + silo.ToParsableString();

    /// <summary>The key of a silo's code grain.</summary>
    internal static string ForCode(SiloAddress silo) => "code@" + silo.ToParsableString();

    /// <summary>The key of a silo's monitor grain.</summary>
    internal static string ForMonitor(SiloAddress silo) => "monitor@" + silo.ToParsableString();

    /// <summary>The key of a silo's array grain.</summary>
    internal static string ForArrays(SiloAddress silo) => "arrays@" + silo.ToParsableString();

    /// <summary>The silo that a batch grain, or a silo's slots, code, array or monitor grain, belongs to.</summary>
    internal static SiloAddress SiloOf(string key) => SiloAddress.FromParsableString(key[(key.IndexOf('@', Math.Max(0, key.IndexOf('/', StringComparison.Ordinal))) + 1)..]);

    /// <summary>Reads a key back.</summary>
    /// <exception cref="FormatException">The text is not a slot key.</exception>
    internal static SlotKey Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var at = slash < 0 ? -1 : key.IndexOf('@', slash);
        return at < 0
            ? throw new FormatException($"'{key}' is not a slot key 'run/slot@silo'.")
            : new SlotKey(
                Guid.ParseExact(key[..slash], "N"),
                int.Parse(key.AsSpan(slash + 1, at - slash - 1), CultureInfo.InvariantCulture),
                SiloAddress.FromParsableString(key[(at + 1)..]));
    }
}
