using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What this process's calls need to travel by one client: the codec, the code set that payloads name, and its way to the silos. Thread-safe.</summary>
internal sealed class ClientCode
{
    // Code and shapes are the process's: a second client must not compile or hash them again.
    private static readonly CodeSet Set = new();
    private static readonly PayloadCodec Codec = new(new PayloadEncoder(Set), new PayloadDecoder(new OwnCode()));
    private static readonly ConditionalWeakTable<IClusterClient, ClientCode> ByClient = [];

    private readonly CodeSet _set = Set;

    private ClientCode(IClusterClient client) => Shipper = new CodeShipper(client);

    internal PayloadEncoder Encoder { get; } = Codec.Encoder;

    internal PayloadDecoder Decoder { get; } = Codec.Decoder;

    internal CodeShipper Shipper { get; }

    internal static ClientCode Of(IClusterClient client) => ByClient.GetValue(client, static client => new ClientCode(client));

    /// <summary>The code set with all that payloads have named so far.</summary>
    internal CodeSnapshot Snapshot() => _set.Snapshot();
}
