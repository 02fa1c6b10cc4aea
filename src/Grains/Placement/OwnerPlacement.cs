using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace RpOrleans.Grains.Placement;

/// <summary>Places a grain on the silo whose address is the grain's key.</summary>
[Serializable, GenerateSerializer, Immutable]
public sealed class OwnerPlacement : PlacementStrategy
{
    /// <summary>The one instance.</summary>
    internal static readonly OwnerPlacement Instance = new();

    /// <summary>Not in the directory: the key says where it is, and a directory would drop healthy activations when another silo leaves (dotnet/orleans#9074).</summary>
    public override bool IsUsingGrainDirectory => false;
}

/// <summary>Marks a grain class for <see cref="OwnerPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OwnerPlacementAttribute() : PlacementAttribute(OwnerPlacement.Instance);

/// <summary>Reads the silo's address out of the grain's key.</summary>
internal sealed class OwnerPlacementDirector : IPlacementDirector
{
    // InvalidOperationException, since Orleans does not retry on it: the caller goes on to the next node at once.
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var owner = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(owner)
            ? Task.FromResult(owner)
            : throw new InvalidOperationException($"Silo {owner} is not active.");
    }
}
