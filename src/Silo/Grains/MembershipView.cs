using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>The cluster's members as this silo sees them.</summary>
internal sealed class MembershipView(IClusterMembershipService service)
{
    private ClusterMembers _members = new(long.MinValue, []);

    internal ClusterMembers Members()
    {
        var snapshot = service.CurrentSnapshot;
        var members = _members;
        return members.Version == snapshot.Version.Value
            ? members
            : _members = new ClusterMembers(
                snapshot.Version.Value, [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)]);
    }
}
