namespace Orleans.Joblib;

/// <summary>Keeps the batches of a run that travel within a bound of bytes, by the bytes that its calls and results took so far. Thread-safe.</summary>
internal sealed class PayloadBound
{
    // Long enough for its throughput, short enough that other messages get through and that memory stays flat.
    private const double GoodBytes = 8 << 20;
    private const double NewestWeight = 0.2;

    private double _bytesPerCall;

    /// <summary>The calls that the next batch may have, of those that it should have.</summary>
    internal int Bound(int batchSize) => (int)Math.Clamp(GoodBytes / Volatile.Read(ref _bytesPerCall), 1, batchSize);

    /// <summary>Learns what calls or results took on the way, large arrays that were written for them included: while one batch is written, workers are to have another. A bigger one counts at once, smaller ones by and by.</summary>
    internal void Saw(int calls, long bytes)
    {
        var newest = (double)bytes / calls;
        var known = Volatile.Read(ref _bytesPerCall);

        // Two threads at once lose one sample at worst.
        Volatile.Write(ref _bytesPerCall, newest >= known ? newest : known + (NewestWeight * (newest - known)));
    }

    /// <summary>Refuses what no message can carry.</summary>
    /// <exception cref="JoblibException">The batch's payload is longer than <see cref="JoblibProtocol.MostPayloadBytes"/>.</exception>
    internal static void Check(CallBatch batch, int bytes)
    {
        if (bytes > JoblibProtocol.MostPayloadBytes)
        {
            throw new JoblibException(
                "payload-too-large",
                $"Batch {batch.Number} ({batch.Count} calls from call {batch.FirstCallIndex}, {batch.FirstCallText}) takes {bytes:N0} bytes on the wire; a message carries {JoblibProtocol.MostPayloadBytes:N0}. "
                    + (batch.Count > 1 ? "Lower batchSize, or leave it to the library." : "Pass less: the name of a file or object that the call reads, or a part of the array."));
        }
    }

    /// <summary>The failure of a batch whose results no message can carry.</summary>
    internal static JoblibException ResultsTooLarge(long firstCallIndex, int calls, int bytes) => new(
        "payload-too-large",
        $"The results of {calls} calls from call {firstCallIndex} take {bytes:N0} bytes on the wire; a message carries {JoblibProtocol.MostPayloadBytes:N0}. "
            + (calls > 1 ? "Lower batchSize, or leave it to the library." : "Return less, or write the result where the caller can read it and return its name."));
}
