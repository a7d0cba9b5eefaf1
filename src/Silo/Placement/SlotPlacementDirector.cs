using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Orleans.Joblib.Silo;

/// <summary>Places batch grains and slots grains on the silo in their key, or nowhere: a slot of a silo that has left is gone.</summary>
internal sealed class SlotPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = SlotKey.SiloOf(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(silo)
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"The silo '{silo}' that holds the slot '{target.GrainIdentity.Key}' has left the cluster.");
    }
}
