namespace Orleans.Joblib.Gateway;

/// <summary>The blob storage that large arrays of clients go through to silos that share no memory with this host.</summary>
/// <param name="Shared">Null for none.</param>
internal sealed record GatewayBlobs(SharedBlobs? Shared);
