using System.Globalization;
using Orleans.Joblib;

// A process with shared arrays, for tests that kill it. It answers lines: "put BYTES SEED" writes an array, "use PATH" maps one, "drop" lets all go, "end" ends well.
if (args is not [var folder])
{
    Console.Error.WriteLine("usage: array-holder FOLDER");
    return 2;
}

var store = new ArrayStore(new ArrayStoreOptions { TempFolder = folder });
var source = new StoreSource();
var leases = new List<ArrayLease>();
Console.WriteLine("array-holder ready");
while (Console.In.ReadLine()?.Split(' ') is { } line)
{
    switch (line[0])
    {
        case "put":
            var array = new byte[int.Parse(line[1], CultureInfo.InvariantCulture)];
            new Random(int.Parse(line[2], CultureInfo.InvariantCulture)).NextBytes(array);
            var lease = store.Put(ArrayView.TryOf(array)!.Value);
            leases.Add(lease);
            Console.WriteLine($"put {store.WrittenSegments} {lease.Segment.Path}");
            break;

        case "use":
            var length = (nint)(new FileInfo(line[1]).Length - SegmentHead.PageBytes);
            var mapped = source.Map<byte>(new ArrayReference(ArrayPlace.Segment, line[1], SegmentHead.PageBytes, MmapMode.ReadOnly, [length], [1]));
            Console.WriteLine($"use {mapped[length - 1]}");
            break;

        case "prove":
            Console.WriteLine($"prove {Convert.ToHexString(StoreToken.Prove(line[1]) ?? [])}");
            break;

        case "drop":
            leases.ForEach(lease => lease.Dispose());
            leases.Clear();
            source.Dispose();
            Console.WriteLine("dropped");
            break;

        case "end":
            leases.ForEach(lease => lease.Dispose());
            source.Dispose();
            store.Dispose();
            return 0;
    }
}

return 0;
